/** How log entries lie in a Redis stream: id `<sequence>-0`, fields `t` (ms) and `e` (event JSON). */
import { readJson } from '@weft/plan';
import type { AppendResult, LogEntry, LogPosition } from './ports.js';

export type StreamEntry = [id: string, fields: string[]];

export function decodeEntry([id, fields]: StreamEntry): LogEntry {
  const [, at, , event] = fields;
  if (event === undefined) throw new Error(`log entry ${id} is not one of ours`);
  return { sequence: Number.parseInt(id, 10), atMs: Number(at), event: readJson(event) as LogEntry['event'] };
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
