/** What is known of an attempt: from the run's actor where this replica owns the run, from its log otherwise. */
import { goesOn, type RunState } from '@weft/engine';
import type { RunLog, RunReader } from '@weft/run-store';
import type { Delivery, TaskJob } from '@weft/queue';
import type { AttemptLocator } from './dispatcher.js';
import { engineEvent, isSealed } from '../runs/log-events.js';
import type { PartitionOwner } from '../runs/partition-owner.js';

type Found = Awaited<ReturnType<AttemptLocator['find']>>;

export class LoggedAttempts implements AttemptLocator {
  constructor(
    private readonly owner: () => PartitionOwner,
    private readonly log: RunLog,
    private readonly reader: Pick<RunReader, 'follow'>,
  ) {}

  async find(job: TaskJob, { again }: Delivery): Promise<Found> {
    const state = this.owner().actorOf(job.runId)?.state;
    if (state) return inState(state, job);
    // A job's first delivery is not worth reading a log for: at worst its answer is known already and is not taken twice.
    return again || job.begun ? this.inLog(job) : undefined;
  }

  async answered({ runId, taskId, attempt }: TaskJob, signal: AbortSignal): Promise<boolean> {
    for await (const entry of this.reader.follow(runId, 0, signal)) {
      const event = engineEvent(entry);
      if ('taskId' in event && event.taskId === taskId && event.attempt === attempt && !goesOn(event)) return true;
    }
    return !signal.aborted;
  }

  private async inLog({ runId, taskId, attempt }: TaskJob): Promise<Found> {
    let found: Found;
    const entries = await this.log.read(runId, 0);
    // A run without a log was deleted, or has ended long ago.
    if (entries.length === 0 || isSealed(entries)) return 'answered';
    for (const entry of entries) {
      const event = engineEvent(entry);
      if (!('taskId' in event) || event.taskId !== taskId || event.attempt !== attempt) continue;
      if (!goesOn(event)) return 'answered';
      const { runnerId, runtime } = event;
      if (runnerId !== undefined && runtime !== undefined) found = { runnerId, runtime };
    }
    return found;
  }
}

function inState(state: RunState, { taskId, attempt }: TaskJob): Found {
  if (state.phase === 'ended') return 'answered';
  const task = state.tasks.get(taskId);
  if (!task || task.attempt < attempt) return undefined;
  if (task.attempt > attempt || (task.status !== 'queued' && task.status !== 'running')) return 'answered';
  return task.runnerId && task.runtime ? { runnerId: task.runnerId, runtime: task.runtime } : undefined;
}
