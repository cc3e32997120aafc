/** The logs of tasks in memory: same contract as the Redis adapter's. */
import {
  type AlsoInLog,
  InvalidRequestError,
  KEPT_ATTEMPTS,
  TASK_LOG_ENTRY_OVERHEAD,
  TASK_LOG_LIMIT_BYTES,
  type TaskLogChunk,
  type TaskLogs,
  Wake,
  splitText,
} from '@weft/run-store';
import type { FakeRun, FakeRunStoreData, Kept } from './fake-run-data.js';
import { copy } from './kept.js';

/** What went from a run's log, as a chunk before all others. */
export function goneOf({ gone }: Pick<FakeRun, 'gone'>): Kept[] {
  if (gone.bytes === 0) return [];
  return [{ taskId: '', step: '', stream: 'system', text: '', atMs: 0, omitted: gone, cursor: '0-1' }];
}

export class FakeTaskLogs implements TaskLogs {
  constructor(
    private readonly data: FakeRunStoreData,
    private readonly closed: AbortSignal,
  ) {}

  async append(runId: string, chunks: TaskLogChunk[], { drop = [], keep = [] }: AlsoInLog = {}): Promise<string[][]> {
    const run = this.data.runs.get(runId);
    if (!run) return chunks.map(() => []);
    run.taskLog = run.taskLog.filter(({ cursor }) => !drop.includes(cursor));
    const cursors = chunks.map((chunk) =>
      splitText(chunk.text).map((text) => {
        const cursor = `${++this.data.chunks}-0`;
        run.taskLog.push({ ...copy(chunk), text, cursor });
        return cursor;
      }),
    );
    for (const key of keep.map(({ taskId, attempt }) => `${taskId}.${attempt}`))
      run.kept = [key, ...run.kept.filter((other) => other !== key)].slice(0, KEPT_ATTEMPTS);
    this.bound(run);
    for (const tell of [...this.data.logged]) tell(runId);
    return cursors;
  }

  private bound(run: FakeRun): void {
    const size = ({ cursor: _cursor, ...chunk }: Kept): number => Buffer.byteLength(JSON.stringify(chunk)) + TASK_LOG_ENTRY_OVERHEAD;
    let bytes = run.taskLog.reduce((sum, chunk) => sum + size(chunk), 0);
    while (bytes > TASK_LOG_LIMIT_BYTES) {
      const at = run.taskLog.findIndex(({ taskId, attempt }) => !run.kept.includes(`${taskId}.${attempt}`));
      if (at < 0) run.kept.pop();
      for (const chunk of at < 0 ? [] : run.taskLog.splice(at, 1)) {
        const { omitted, place, text } = chunk;
        bytes -= size(chunk);
        run.gone.bytes += omitted?.bytes ?? (place ? place.to - place.from : Buffer.byteLength(text));
        run.gone.lines += omitted?.lines ?? text.split('\n').length - 1;
      }
    }
  }

  async *stream(
    runId: string,
    afterCursor: string,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<TaskLogChunk & { cursor: string }, void, undefined> {
    if (!/^(\d+-\d+)?$/.test(afterCursor)) throw new InvalidRequestError('this log cursor is not one of ours');
    const wake = new Wake();
    const onLogged = (id: string): void => void (id === runId && wake.signal());
    this.data.logged.add(onLogged);
    const done = AbortSignal.any([signal, this.closed]);
    done.addEventListener('abort', () => wake.signal());
    wake.signal();
    try {
      let last = Number.parseInt(afterCursor || '-1', 10);
      do {
        await wake.next();
        const run = this.data.runs.get(runId);
        if (run && last === -1) yield* copy(goneOf(run));
        for (const chunk of copy(run?.taskLog ?? [])) {
          if (done.aborted) return;
          if (Number.parseInt(chunk.cursor, 10) <= last) continue;
          last = Number.parseInt(chunk.cursor, 10);
          yield chunk;
        }
      } while (follow && !done.aborted);
    } finally {
      this.data.logged.delete(onLogged);
    }
  }
}
