/**
 * The tasks of runs that have ended, for whoever pages through them: the log is replayed once and not once per page.
 *
 * Invariant: what is kept is one run's, and only for a while after it was last asked for: a wide run's tasks take much memory.
 */
import type { TaskRecord } from '@weft/engine';
import type { RunHeader } from '@weft/run-store';
import type { Clock } from '../kernel/clock.js';

type Tasks = ReadonlyMap<string, TaskRecord>;

const KEPT_MS = 30_000;

export class EndedTasks {
  private kept: { key: string; tasks: Promise<Tasks> } | undefined;
  private stopTimer = (): void => undefined;

  constructor(
    private readonly replay: (header: RunHeader) => Promise<Tasks>,
    private readonly clock: Pick<Clock, 'after'>,
  ) {}

  of(header: RunHeader): Promise<Tasks> {
    // A run that is retried ends at another time.
    const key = `${header.runId} ${header.finishedAtMs}`;
    if (this.kept?.key !== key) {
      const tasks = this.replay(header);
      this.kept = { key, tasks };
      tasks.catch(() => this.forget(key));
    }
    this.stopTimer();
    this.stopTimer = this.clock.after(KEPT_MS, () => this.forget(key));
    return this.kept.tasks;
  }

  private forget(key: string): void {
    if (this.kept?.key === key) this.kept = undefined;
  }
}
