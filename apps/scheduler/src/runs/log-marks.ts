/**
 * Stored chunks of logs → what a reader is shown: nothing twice, and a mark in the place of all that is not there.
 *
 * Invariant: of each attempt and stream that has a place, chunks and marks make up what was written, without overlap.
 */
import type { StoredChunk, TaskLogChunk } from '@weft/run-store';

interface Reached {
  byte: number;
  line: number;
}

/**
 * @param fromStart whether the reader has seen nothing before
 * @param taskId only of this task; '' = all
 */
export async function* withMarks(
  chunks: AsyncIterable<StoredChunk>,
  { taskId, fromStart }: { taskId: string; fromStart: boolean },
): AsyncGenerator<StoredChunk, void, undefined> {
  const reached = new Map<string, Reached>();
  let cursor = '';
  let gone: NonNullable<TaskLogChunk['omitted']> | undefined;
  let said = false;
  for await (const chunk of chunks) {
    if (chunk.omitted) gone = { lines: (gone?.lines ?? 0) + chunk.omitted.lines, bytes: (gone?.bytes ?? 0) + chunk.omitted.bytes };
    if (chunk.omitted || (taskId !== '' && chunk.taskId !== taskId)) continue;
    if (gone && !said && taskId === '') yield goneMark(gone, chunk.atMs, cursor);
    said = true;
    const fresh = chunk.place ? notSeen(chunk, reached, fromStart) : { chunk };
    if (fresh?.omitted) yield { ...omission(chunk, fresh.omitted), cursor };
    if (fresh) yield fresh.chunk;
    cursor = chunk.cursor;
  }
  // Nothing is left of it, or it never said anything: who asks is told what can be known.
  if (gone && !said) yield goneMark(gone, 0, cursor);
}

/** The part of a chunk that was not shown, and what is missing before it. */
function notSeen(
  chunk: StoredChunk,
  reached: Map<string, Reached>,
  fromStart: boolean,
): { chunk: StoredChunk; omitted?: TaskLogChunk['omitted'] } | undefined {
  const { place = { from: 0, to: 0, line: 0 } } = chunk;
  const key = `${chunk.taskId}.${chunk.attempt ?? ''} ${chunk.stream}`;
  const before = reached.get(key) ?? (fromStart ? { byte: 0, line: 0 } : { byte: place.from, line: place.line });
  if (place.to <= before.byte) return undefined;
  reached.set(key, { byte: place.to, line: place.line + ends(chunk.text) });
  if (place.from >= before.byte) {
    const omitted = { lines: Math.max(0, place.line - before.line), bytes: place.from - before.byte };
    return omitted.bytes > 0 ? { chunk, omitted } : { chunk };
  }
  const bytes = Buffer.from(chunk.text);
  // Text that does not stand for as many bytes cannot be cut by them: shown twice is better than not.
  if (bytes.length !== place.to - place.from) return { chunk };
  return { chunk: { ...chunk, text: bytes.subarray(before.byte - place.from).toString() } };
}

function omission(chunk: StoredChunk, omitted: NonNullable<TaskLogChunk['omitted']>): Omit<StoredChunk, 'cursor'> {
  const { taskId, step, attempt, index, atMs } = chunk;
  const text = `… ${counted(omitted)} of ${chunk.stream} left out here: the whole log has them`;
  return {
    taskId,
    step,
    ...(attempt !== undefined && { attempt }),
    ...(index !== undefined && { index }),
    stream: 'system',
    text,
    atMs,
    omitted,
  };
}

function goneMark(omitted: NonNullable<TaskLogChunk['omitted']>, atMs: number, cursor: string): StoredChunk {
  const text = `… in all, ${counted(omitted)} of this run's logs are only in the whole logs of its tasks`;
  return { taskId: '', step: '', stream: 'system', text, atMs, omitted, cursor };
}

function counted({ lines, bytes }: { lines: number; bytes: number }): string {
  return `${lines} ${lines === 1 ? 'line' : 'lines'} (${bytes} bytes)`;
}

function ends(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
