/** What every implementation of the ports holds to, so that the fake and the real one cannot differ. */
import { InvalidRequestError } from './errors.js';
import type { RunHeader, RunQuery, RunState } from './ports.js';

/** The event type that ends a log; followers stop after it. */
export const SEALING_EVENT = 'RunEnded';

/** Bytes of task logs kept per run, entries with their overhead; the oldest go first. */
export const TASK_LOG_LIMIT_BYTES = 4 * 1024 * 1024;
/** Of each attempt and stream, what it wrote first stays, and about as much of what it wrote last. */
export const TASK_LOG_HEAD_BYTES = 16 * 1024;
export const TASK_LOG_TAIL_BYTES = 32 * 1024;
/** Attempts that failed last keep their chunks while others lose theirs: at most half of the run's limit. */
export const KEPT_ATTEMPTS = 16;
/** What one kept chunk costs beside its text. */
export const TASK_LOG_ENTRY_OVERHEAD = 64;
/** Characters of one kept chunk; longer ones are split. */
export const TASK_LOG_CHUNK_CHARS = 16 * 1024;

/** Bytes of the headers of one page of a list: with what is around them, it stays below the 4 MiB that a client of gRPC takes unless told otherwise. */
export const LIST_BYTES = 2 * 1024 * 1024;
/** Characters of JSON from which on the inputs of a run are not in its log, but only beside it. */
export const LONG_INPUTS_CHARS = 64 * 1024;
/** Bytes of one piece of an object. */
export const OBJECT_PIECE_BYTES = 256 * 1024;

const FINAL: ReadonlySet<RunState> = new Set(['succeeded', 'failed', 'cancelled']);

export function isFinal(state: RunState): boolean {
  return FINAL.has(state);
}

/** Throws InvalidRequestError unless `limit` is a whole number from 1 to 1000. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new InvalidRequestError(`limit must be from 1 to 1000, not ${limit}`);
}

export function matches(header: Pick<RunHeader, 'state' | 'labels' | 'projectId'>, query: RunQuery): boolean {
  if (query.projectId !== undefined && header.projectId !== query.projectId) return false;
  if (query.states?.length && !query.states.includes(header.state)) return false;
  return Object.entries(query.labels ?? {}).every(([name, value]) => header.labels[name] === value);
}

/** Splits long texts; never between the halves of a surrogate pair. */
export function splitText(text: string): string[] {
  if (text.length <= TASK_LOG_CHUNK_CHARS) return [text];
  const parts: string[] = [];
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + TASK_LOG_CHUNK_CHARS, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end--;
    parts.push(text.slice(start, end));
    start = end;
  }
  return parts;
}
