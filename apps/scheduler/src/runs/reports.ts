/**
 * Brings a task's answer to the run's owner: directly where this replica owns the run, through the log otherwise.
 */
import type { EngineEvent } from '@weft/engine';
import type { RunIntake } from '@weft/run-store';
import type { Reporter } from '../dispatch/dispatcher.js';
import type { PartitionOwner } from './partition-owner.js';
import { toLogEvent } from './log-events.js';

export class ReportRouter implements Reporter {
  constructor(
    private readonly owner: () => PartitionOwner,
    private readonly intake: RunIntake,
  ) {}

  async report(runId: string, event: EngineEvent): Promise<void> {
    const actor = this.owner().actorOf(runId);
    if (actor) await actor.offer(event);
    // A run that was removed wants no answer any more: false is as good as done.
    else await this.intake.request(runId, toLogEvent(event));
  }
}
