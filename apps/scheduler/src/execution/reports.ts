/**
 * Brings a task's answer to the run's owner: directly where this replica owns the run, through the log otherwise.
 */
import type { EngineEvent } from '@weft/engine';
import type { RunIntake } from '@weft/run-store';
import type { Reporter } from './dispatcher.js';
import type { PartitionOwner } from '../runs/partition-owner.js';
import { toLogEvent } from '../runs/log-events.js';

export class ReportRouter implements Reporter {
  constructor(
    private readonly owner: () => PartitionOwner,
    private readonly intake: RunIntake,
  ) {}

  async report(runId: string, event: EngineEvent): Promise<void> {
    if (await this.owner().actorOf(runId)?.offer(event)) return;
    // Whoever owns the run now finds it in the log; twice there counts once. A run that was removed or has ended wants no answer any more.
    await this.intake.request(runId, toLogEvent(event));
  }
}
