/**
 * Stops tasks wherever they are: jobs that wait are taken out of the queue, attempts that a dispatcher follows are stopped by it, on whichever
 * replica it is.
 *
 * Invariants:
 *  1. It is asked for again until the attempt's answer is in the run's log: what gets lost or dies on the way delays it only.
 *  2. A task is answered for from here only where nobody has ever begun it; whoever began it, or goes on with it, answers for it otherwise.
 */
import type { Logger } from '@weft/platform';
import { jobIdOf, type TaskQueue } from '@weft/queue';
import type { AttemptRef, TaskCancels } from '@weft/run-store';
import type { Clock } from '../kernel/clock.js';
import type { OwnedRun } from '../runs/owned-run.js';

export interface TaskCanceller {
  /** Stops the attempt if it is being worked on here and answers true; the attempt's answer comes as an event of its own. */
  cancel(taskId: string, attempt: number): boolean;
}

export interface TaskStopperDeps {
  queue: Pick<TaskQueue, 'remove'>;
  canceller: TaskCanceller;
  cancels: Pick<TaskCancels, 'send'>;
  logger: Logger;
  clock: Clock;
}

/** Between two askings, milliseconds; each wait is twice the one before. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4_000;

export class TaskStopper {
  constructor(private readonly deps: TaskStopperDeps) {}

  stop(actor: OwnedRun, attempts: AttemptRef[], waitMs = FIRST_WAIT_MS): void {
    const open = attempts.filter((attempt) => awaits(actor, attempt));
    if (open.length === 0) return;
    this.ask(actor, open).catch((error: unknown) => {
      this.deps.logger.error({ err: error, runId: actor.runId }, 'tasks not stopped; trying again');
    });
    this.deps.clock.after(waitMs, () => this.stop(actor, open, Math.min(2 * waitMs, LONGEST_WAIT_MS)));
  }

  private async ask(actor: OwnedRun, attempts: AttemptRef[]): Promise<void> {
    const { queue, canceller, cancels } = this.deps;
    const { pool } = actor.base;
    const elsewhere = attempts.filter(({ taskId, attempt }) => !canceller.cancel(taskId, attempt));
    if (elsewhere.length === 0) return;
    const left = await queue.remove(elsewhere.map(({ taskId, attempt }) => ({ pool, taskId, attempt })));
    const kept = new Set(left.map(jobIdOf));
    for (const { taskId, attempt } of elsewhere) {
      if (!kept.has(jobIdOf({ taskId, attempt }))) void actor.offer({ type: 'TaskCancelled', taskId, attempt });
    }
    // One that was handed out here in between is stopped here.
    await cancels.send(
      left.filter(({ taskId, attempt }) => !canceller.cancel(taskId, attempt)).map(({ taskId, attempt }) => ({ taskId, attempt })),
    );
  }
}

function awaits(actor: OwnedRun, { taskId, attempt }: AttemptRef): boolean {
  const task = actor.state.tasks.get(taskId);
  return !actor.isStopped && task?.attempt === attempt && (task.status === 'queued' || task.status === 'running');
}
