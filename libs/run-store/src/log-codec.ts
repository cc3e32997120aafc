/**
 * How log entries lie in a Redis stream: id `<sequence>-0`, fields `t` (ms) and `e` (event JSON); where the event's inputs are long, a third, `o`: they
 * are the run's input object, which lies beside the log, and not in `e`.
 */
import { jsonOf, writeJson } from '@weft/plan';
import { ForeignMessageError } from './errors.js';
import { LONG_INPUTS_CHARS } from './limits.js';
import type { AppendResult, LogEntry, LogPosition } from './ports.js';

export type StreamEntry = [id: string, fields: string[]];

/** What the third field of an entry says. */
const BESIDE = 'inputs';

/** The event that accepts a run, as it is stored: its inputs' text is made once, for the entry and for beside the log. */
export interface AcceptedTexts {
  eventJson: string;
  /** '' where it has none. */
  inputsJson: string;
  /** Third field of the entry, or '': the inputs are in the event. */
  beside: string;
}

/** @param known the inputs' text, where it was made already */
export function acceptedTexts(event: LogEntry['event'], known?: string): AcceptedTexts {
  const { inputs, ...rest } = event;
  if (inputs === undefined) return { eventJson: writeJson(event), inputsJson: '', beside: '' };
  const inputsJson = known ?? writeJson(inputs);
  const shortJson = writeJson(rest);
  if (inputsJson.length > LONG_INPUTS_CHARS) return { eventJson: shortJson, inputsJson, beside: BESIDE };
  return { eventJson: `${shortJson.slice(0, -1)},"inputs":${inputsJson}}`, inputsJson, beside: '' };
}

/** Whether the event's inputs lie beside the log. */
export function hasInputsBeside([, fields]: StreamEntry): boolean {
  return fields[5] === BESIDE;
}

/** @throws ForeignMessageError: a log with an entry that says nothing tells what its run is no more, and nobody goes on with it */
export function decodeEntry([id, fields]: StreamEntry): LogEntry {
  const [, at, , text = ''] = fields;
  const event = jsonOf(text);
  if (!isEvent(event) || !/^\d+$/.test(at ?? ''))
    throw new ForeignMessageError(`entry ${id} of a log is not one of ours: ${fields.join(' ').slice(0, 80)}`);
  return { sequence: Number.parseInt(id, 10), atMs: Number(at), event };
}

function isEvent(value: unknown): value is LogEntry['event'] {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** As the append scripts take it: `<sequence>` or `<sequence> <time in ms>`. */
export function encodePosition(after: LogPosition): string {
  return typeof after === 'number' ? String(after) : `${after.sequence} ${after.atMs}`;
}

/** The answer of append-events and seal-run. */
export function decodeAppendResult(answer: unknown): AppendResult {
  const [kind, sequence, atMs] = answer as [string, number?, string?];
  if (kind === 'ok') return { ok: true, sequence: Number(sequence), atMs: Number(atMs) };
  if (kind === 'conflict') return { ok: false, reason: 'conflict', sequence: Number(sequence) };
  if (kind === 'fenced' || kind === 'gone' || kind === 'diverged') return { ok: false, reason: kind };
  throw new Error(`unexpected answer of an append: ${kind}`);
}
