/**
 * What watchers are told of one entry of a run's log: the tasks that it changed, then the run's new status. Follows a state from where it is
 * now on; told from the same entries, two tellers tell the same, event by event and ordinal by ordinal.
 */
import { run as pb } from '@weft/contracts';
import type { RunState } from '@weft/engine';
import type { RunHeader } from '@weft/run-store';
import { runStatus, toFailure, toTask } from '../mapping.js';
import { RUN_OBJECT_BYTES, shownObject } from '../object-texts.js';
import type { Applied } from '../../runs/owned-run.js';
import { type HeaderBase, headerOf, headerState } from '../../runs/run-header.js';

export class RunTeller {
  /** As it was told last. */
  private status: RunHeader['state'] | undefined;

  constructor(
    private readonly base: HeaderBase,
    private readonly state: RunState,
  ) {
    // The end is told when it is in the log, so it was not; whatever else the state says, was.
    if (state.phase !== 'new' && state.phase !== 'ended') this.status = headerState(state);
  }

  tell({ sequence, atMs, type, changedTasks }: Applied): pb.RunEvent[] {
    const { state, base } = this;
    const events: pb.RunEvent[] = [];
    const add = (event: pb.RunEvent['event']): void => {
      events.push({ runId: base.runId, sequence, ordinal: events.length, at: new Date(atMs), event });
    };
    for (const taskId of changedTasks) {
      const task = state.tasks.get(taskId);
      if (task) add({ $case: 'taskStatus', value: { task: toTask(task) } });
    }
    // The end is told when the log is sealed, so that whoever sees it finds the final header.
    if (state.phase === 'ended' && type !== 'RunEnded') return events;
    if (headerState(state) !== this.status) {
      const now = headerOf(base, state, atMs);
      this.status = now.state;
      const { json: outputsJson, omitted: outputsOmitted } = shownObject(
        state.phase === 'ended' ? state.outputs : undefined,
        RUN_OBJECT_BYTES,
      );
      const failure = toFailure(now.failure);
      add({ $case: 'runStatus', value: { status: runStatus(now.state), outputsJson, outputsOmitted, failure } });
    }
    return events;
  }
}
