/**
 * Input and output objects as texts for messages.
 *
 * Invariants:
 *  1. A message has an object only where it is short; else it says that there is one, and whoever wants it reads it in pieces.
 *  2. Making pieces of a value lets others go on in between.
 */
import { setImmediate } from 'node:timers/promises';
import { type CwlObject, isLongJson, writeJson } from '@weft/plan';

/** Bytes of an object in a message about a run, and about a task, of which there are many. */
export const RUN_OBJECT_BYTES = 512 * 1024;
export const TASK_OBJECT_BYTES = 32 * 1024;

/** What is many small values is long, too: each costs its reader more than its signs. */
const CHARS_OF_VALUE = 4;

const PIECE_CHARS = 64 * 1024;

/** As messages have it. */
export interface ShownObject {
  /** '' where there is none, or it is long. */
  json: string;
  omitted: boolean;
}

export const NO_OBJECT: ShownObject = { json: '', omitted: false };
export const OMITTED: ShownObject = { json: '', omitted: true };

export function shownObject(value: CwlObject | undefined, limit: number): ShownObject {
  if (value === undefined) return NO_OBJECT;
  if (isLongJson(value, { chars: limit, values: limit / CHARS_OF_VALUE })) return OMITTED;
  return shownText(writeJson(value), limit);
}

export function shownText(json: string, limit: number): ShownObject {
  return Buffer.byteLength(json) > limit ? OMITTED : { json, omitted: false };
}

/** The value's JSON. */
export async function* jsonPieces(value: CwlObject): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: string[] = [];
  let chars = 0;
  for (const text of texts(value)) {
    parts.push(text);
    chars += text.length;
    if (chars < PIECE_CHARS) continue;
    yield* slices(parts.join(''));
    [parts, chars] = [[], 0];
    await setImmediate();
  }
  yield* slices(parts.join(''));
}

function* slices(text: string): Generator<Uint8Array, void, undefined> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 4 * PIECE_CHARS) yield bytes.subarray(at, at + 4 * PIECE_CHARS);
}

/** An array or object whose members are being told. */
interface Open {
  members: Iterator<[string, unknown]>;
  named: boolean;
  first: boolean;
}

function* texts(value: unknown): Generator<string, void, undefined> {
  const open: Open[] = [];
  let next = value;
  for (;;) {
    if (typeof next === 'object' && next !== null) {
      const named = !Array.isArray(next);
      yield named ? '{' : '[';
      open.push({ members: membersOf(next), named, first: true });
    } else yield writeJson(next ?? null);
    for (;;) {
      const around = open.at(-1);
      if (!around) return;
      const { done, value: member } = around.members.next();
      if (done) {
        yield around.named ? '}' : ']';
        open.pop();
        continue;
      }
      const [name, item] = member as [string, unknown];
      yield `${around.first ? '' : ','}${around.named ? `${JSON.stringify(name)}:` : ''}`;
      around.first = false;
      next = item;
      break;
    }
  }
}

function* membersOf(value: object): Generator<[string, unknown], void, undefined> {
  if (Array.isArray(value)) for (const item of value as unknown[]) yield ['', item];
  else for (const [name, item] of Object.entries(value)) if (item !== undefined) yield [name, item];
}
