/**
 * Logs of running tasks on their way to the store: what arrives while a write is under way goes with the next one.
 *
 * Invariants:
 *  1. Of each attempt and stream, the beginning stays in the store, and of what follows as much as TASK_LOG_TAIL_BYTES need. What goes for that
 *     has a place, so that readers see what is missing.
 *  2. No more than that waits here, however slow the store is.
 */
import type { Logger } from '@weft/platform';
import type { AlsoInLog, TaskLogChunk, TaskLogs } from '@weft/run-store';
import { AttemptLog, type LoggedJob, type TailItem } from './attempt-log.js';

interface Waiting {
  items: { chunk: TaskLogChunk; tail: TailItem | undefined }[];
  drop: string[];
  keep: NonNullable<AlsoInLog['keep']>;
}

export class TaskLogBuffer {
  private readonly pending = new Map<string, Waiting>();
  private readonly writing = new Map<string, Promise<void>>();

  constructor(
    private readonly logs: Pick<TaskLogs, 'append'>,
    private readonly logger: Logger,
  ) {}

  /** The log of one attempt. @param attached somebody else has followed it before */
  of(job: LoggedJob, attached: boolean): AttemptLog {
    const { runId } = job;
    return new AttemptLog(job, attached, {
      add: (chunk, tail) => this.change(runId, ({ items }) => items.push({ chunk, tail })),
      drop: (cursors) => this.change(runId, ({ drop }) => cursors.forEach((cursor) => drop.push(cursor))),
      keep: (attempt) => this.change(runId, ({ keep }) => keep.push(attempt)),
    });
  }

  /** Resolves when everything added so far for the run is stored (or could not be: that is logged). */
  async flushed(runId: string): Promise<void> {
    await this.writing.get(runId);
  }

  private change(runId: string, act: (waiting: Waiting) => void): void {
    const waiting = this.pending.get(runId) ?? { items: [], drop: [], keep: [] };
    this.pending.set(runId, waiting);
    act(waiting);
    if (!this.writing.has(runId)) this.writing.set(runId, this.write(runId));
  }

  private async write(runId: string): Promise<void> {
    try {
      // What is said in the same turn goes together.
      await Promise.resolve();
      for (let next = this.take(runId); next !== undefined; next = this.take(runId)) await this.store(runId, next);
    } catch (error) {
      this.logger.warn({ err: error, runId }, 'task output not stored');
    } finally {
      this.writing.delete(runId);
    }
  }

  private async store(runId: string, { items, drop, keep }: Waiting): Promise<void> {
    const wanted = items.filter(({ tail }) => tail?.gone !== true);
    const chunks = wanted.map(({ chunk }) => chunk);
    const cursors = await this.logs.append(runId, chunks, { drop, keep });
    for (const [n, { tail }] of wanted.entries()) {
      if (tail === undefined) continue;
      tail.cursors = cursors[n] ?? [];
      // It was pushed out while it was written.
      if (tail.gone) this.change(runId, (waiting) => tail.cursors?.forEach((cursor) => waiting.drop.push(cursor)));
    }
  }

  private take(runId: string): Waiting | undefined {
    const waiting = this.pending.get(runId);
    this.pending.delete(runId);
    return waiting;
  }
}
