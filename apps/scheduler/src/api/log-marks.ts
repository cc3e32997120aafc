/**
 * Stored chunks of logs → what a reader is shown: nothing twice, and a mark in the place of all that is not there.
 *
 * Invariants:
 *  1. Of each attempt and stream that has a place, chunks and marks make up what was written, without overlap.
 *  2. Of an attempt that was begun again, a mark says where its new output begins. What the end of the former life was, nobody knows.
 */
import type { StoredChunk, TaskLogChunk } from '@weft/run-store';

interface Reached {
  byte: number;
  line: number;
}

const BEGUN_AGAIN = '… the task was lost and is begun again: what follows is its new output, and the whole log has no other';

/** What was shown of an attempt. */
class Shown {
  readonly reached = new Map<TaskLogChunk['stream'], Reached>();
  private readonly former = new Set<string>();

  /** @param fromStart whether what was written first was, or is to be, shown or counted */
  constructor(
    private life: string,
    public fromStart: boolean,
  ) {}

  /** Which of its lives a chunk is of: one that another has followed, the one that was shown last, or a new one. */
  turnTo(life: string): 'former' | 'same' | 'new' {
    if (life === this.life) return 'same';
    if (this.former.has(life)) return 'former';
    const isNew = this.life !== '';
    if (isNew) {
      this.former.add(this.life);
      this.reached.clear();
      this.fromStart = true;
    }
    this.life = life;
    return isNew ? 'new' : 'same';
  }
}

/**
 * @param fromStart whether the reader has seen nothing before
 * @param taskId only of this task; '' = all
 */
export async function* withMarks(
  chunks: AsyncIterable<StoredChunk>,
  { taskId, fromStart }: { taskId: string; fromStart: boolean },
): AsyncGenerator<StoredChunk, void, undefined> {
  const attempts = new Map<string, Shown>();
  let cursor = '';
  let gone: NonNullable<TaskLogChunk['omitted']> | undefined;
  let said = false;
  for await (const chunk of chunks) {
    if (chunk.omitted) gone = { lines: (gone?.lines ?? 0) + chunk.omitted.lines, bytes: (gone?.bytes ?? 0) + chunk.omitted.bytes };
    if (chunk.omitted || (taskId !== '' && chunk.taskId !== taskId)) continue;
    if (gone && !said && taskId === '') yield goneMark(gone, chunk.atMs, cursor);
    said = true;
    const fresh = chunk.place ? notSeen(chunk, shownOf(attempts, chunk, fromStart)) : { chunk };
    if (fresh?.begun) yield { ...remarkOn(chunk, BEGUN_AGAIN), cursor };
    if (fresh?.omitted) yield { ...omission(chunk, fresh.omitted), cursor };
    if (fresh) yield fresh.chunk;
    cursor = chunk.cursor;
  }
  // Nothing is left of it, or it never said anything: who asks is told what can be known.
  if (gone && !said) yield goneMark(gone, 0, cursor);
}

function shownOf(attempts: Map<string, Shown>, { taskId, attempt, place }: StoredChunk, fromStart: boolean): Shown {
  const key = `${taskId}.${attempt ?? ''}`;
  const shown = attempts.get(key) ?? new Shown(place?.life ?? '', fromStart);
  attempts.set(key, shown);
  return shown;
}

interface NotSeen {
  chunk: StoredChunk;
  /** The task was begun again before it. */
  begun?: boolean;
  /** What is missing before it. */
  omitted?: TaskLogChunk['omitted'];
}

/** The part of a chunk that was not shown, and what is to be said before it. */
function notSeen(chunk: StoredChunk, shown: Shown): NotSeen | undefined {
  const { place = { from: 0, to: 0, line: 0 } } = chunk;
  const turn = shown.turnTo(place.life ?? '');
  if (turn === 'former') return undefined;
  const begun = turn === 'new';
  const start = shown.fromStart ? { byte: 0, line: 0 } : { byte: place.from, line: place.line };
  const before = shown.reached.get(chunk.stream) ?? start;
  if (place.to <= before.byte) return undefined;
  shown.reached.set(chunk.stream, { byte: place.to, line: place.line + ends(chunk.text) });
  if (place.from >= before.byte) {
    const omitted = { lines: Math.max(0, place.line - before.line), bytes: place.from - before.byte };
    return { chunk, begun, ...(omitted.bytes > 0 && { omitted }) };
  }
  const bytes = Buffer.from(chunk.text);
  // Text that does not stand for as many bytes cannot be cut by them: shown twice is better than not.
  if (bytes.length !== place.to - place.from) return { chunk };
  return { chunk: { ...chunk, text: bytes.subarray(before.byte - place.from).toString() } };
}

function omission(chunk: StoredChunk, omitted: NonNullable<TaskLogChunk['omitted']>): Omit<StoredChunk, 'cursor'> {
  return { ...remarkOn(chunk, `… ${counted(omitted)} of ${chunk.stream} left out here: the whole log has them`), omitted };
}

function remarkOn({ taskId, step, attempt, index, atMs }: StoredChunk, text: string): Omit<StoredChunk, 'cursor'> {
  const about = { ...(attempt !== undefined && { attempt }), ...(index !== undefined && { index }) };
  return { taskId, step, ...about, stream: 'system', text, atMs };
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
