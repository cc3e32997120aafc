/**
 * A reader's view of a run: its log replayed through the engine, giving tasks and the public event stream.
 * Any replica can make one; it needs the log and the plan, not the run's owner.
 */
import { run as pb } from '@weft/contracts';
import { decide, initialState, type RunState, type TaskRecord } from '@weft/engine';
import type { Plan } from '@weft/plan';
import type { LogEntry, RunHeader } from '@weft/run-store';
import { runStatus, toFailure, toTask } from '../grpc/mapping.js';
import { headerOf, headerState } from './run-header.js';
import { engineEvent } from './log-events.js';

export class RunProjection {
  private readonly state: RunState;
  private status: RunHeader['state'] | undefined;

  constructor(
    private readonly header: RunHeader,
    plan: Plan,
  ) {
    this.state = initialState(plan);
  }

  tasks(): TaskRecord[] {
    return [...this.state.tasks.values()];
  }

  /** Applies an entry and gives what a watcher sees of it: changed tasks, then the run's new status. */
  apply(entry: LogEntry): pb.RunEvent[] {
    const { changedTasks } = decide(this.state, engineEvent(entry), entry.atMs);
    const events: pb.RunEvent[] = [];
    const add = (event: pb.RunEvent['event']): void => {
      events.push({ runId: this.header.runId, sequence: entry.sequence, ordinal: events.length, at: new Date(entry.atMs), event });
    };
    for (const taskId of changedTasks) {
      const task = this.state.tasks.get(taskId);
      if (task) add({ $case: 'taskStatus', value: { task: toTask(task) } });
    }
    // The end is told when the log is sealed, so that whoever sees it finds the final header.
    if (this.state.phase === 'ended' && entry.event.type !== 'RunEnded') return events;
    if (headerState(this.state) !== this.status) {
      const now = headerOf(this.header, this.state, entry.atMs);
      this.status = now.state;
      const outputsJson = now.outputs === undefined ? '' : JSON.stringify(now.outputs);
      add({ $case: 'runStatus', value: { status: runStatus(now.state), outputsJson, failure: toFailure(now.failure) } });
    }
    return events;
  }
}
