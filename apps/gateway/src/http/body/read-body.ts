/**
 * The bytes of a body → what it says. Pure: the same where the body came in (small ones) and in a thread.
 */
import { readForeignJson } from '@weft/plan';
import { parse } from 'secure-json-parse';
import { type JsonFault, MAX_JSON_DEPTH, scanJson, type Scanned } from './json-text.js';
import { BodyRefusal } from './refusal.js';

/** A document and a job may have a million each (libs/cwl, limits.ts); of more, making them is for nothing. */
const MAX_VALUES = 2_000_100;
/** What a parser of JSON may round, or make infinite. */
const MAY_LOSE = /\d{16}|\d[eE]\+?\d\d\d/;

export interface ReadBody {
  text: string;
  /** Undefined: there is nothing but white space. */
  value: unknown;
  members: Scanned['members'];
}

/** @throws BodyRefusal */
export function readBody(bytes: Uint8Array): ReadBody {
  const text = textOf(bytes);
  const { fault, members } = scanJson(text, { depth: MAX_JSON_DEPTH, values: MAX_VALUES });
  if (fault !== undefined) throw new BodyRefusal(sentenceOf(fault));
  return { text, value: text.trim() === '' ? undefined : valueOf(text), members };
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BodyRefusal('the body is not valid UTF-8');
  }
}

function sentenceOf({ kind, key }: JsonFault): string {
  switch (kind) {
    case 'depth':
      return `the body nests more than ${MAX_JSON_DEPTH} levels deep`;
    case 'duplicate':
      return `the key '${(key ?? '').slice(0, 100)}' stands twice in one object of the body`;
    case 'values':
      return `the body has more than ${MAX_VALUES} values; put what is large into files that the inputs name`;
  }
}

function valueOf(text: string): unknown {
  let value: unknown;
  try {
    value = parse(text, { protoAction: 'error', constructorAction: 'error' });
  } catch (error) {
    throw new BodyRefusal(`the body is not valid JSON: ${(error as Error).message}`);
  }
  if (!MAY_LOSE.test(text)) return value;
  try {
    return readForeignJson(text);
  } catch (error) {
    throw new BodyRefusal(`the body: ${(error as Error).message}`);
  }
}
