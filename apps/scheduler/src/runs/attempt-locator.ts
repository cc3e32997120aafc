/** Where an attempt was begun: from the run's actor where this replica owns the run, from its log otherwise. */
import type { RunLog } from '@weft/run-store';
import type { TaskJob } from '@weft/queue';
import type { AttemptLocator } from '../dispatch/dispatcher.js';
import { engineEvent } from './log-events.js';
import type { PartitionOwner } from './partition-owner.js';

type Place = { runnerId: string; runtime: string };

export class LoggedAttempts implements AttemptLocator {
  constructor(
    private readonly owner: () => PartitionOwner,
    private readonly log: RunLog,
  ) {}

  async runnerOf({ runId, taskId, attempt }: TaskJob): Promise<Place | undefined> {
    const task = this.owner().actorOf(runId)?.state.tasks.get(taskId);
    if (task)
      return task.attempt === attempt && task.runnerId && task.runtime ? { runnerId: task.runnerId, runtime: task.runtime } : undefined;
    for (const entry of await this.log.read(runId, 0)) {
      const event = engineEvent(entry);
      if (event.type === 'TaskStarted' && event.taskId === taskId && event.attempt === attempt)
        return { runnerId: event.runnerId, runtime: event.runtime };
    }
    return undefined;
  }
}
