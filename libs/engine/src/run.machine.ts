/**
 * The run: new → running → ended, or running → failing | cancelling → ended once nothing is in flight.
 */
import { NO_REQUIREMENTS, type CwlObject } from '@weft/plan';
import { activate } from './activation.js';
import type { CancelAsked, RunAccepted, RunEnded } from './events.js';
import { shardDone } from './step.machine.js';
import type { Owner } from './state.js';
import type { Turn } from './turn.js';

export function accept(turn: Turn, event: RunAccepted): void {
  const { state } = turn;
  state.runId = event.runId;
  state.options = event.options;
  state.phase = 'running';
  state.acceptedAtMs = turn.atMs;
  const root = state.plan.root;
  turn.later(() =>
    activate(turn, {
      process: root,
      inputs: event.inputs,
      inherited: NO_REQUIREMENTS,
      owner: { kind: 'root' },
      path: '',
      node: '',
      index: '',
    }),
  );
}

/** A process ended with outputs: they go to the run, or to the step that it is a shard of. */
export function complete(turn: Turn, owner: Owner, outputs: CwlObject): void {
  if (owner.kind === 'shard') {
    shardDone(turn, owner.step, owner.shard, outputs);
    return;
  }
  if (turn.state.phase !== 'running') return;
  turn.state.outputs = outputs;
  turn.state.final = 'succeeded';
  turn.state.phase = 'ended';
  turn.commands.push({ type: 'EndRun', status: 'succeeded', outputs });
}

export function cancelAsked(turn: Turn, event: CancelAsked): void {
  const { state } = turn;
  if (state.phase !== 'running') {
    turn.ignored = `cancel: the run is ${state.phase}`;
    return;
  }
  state.phase = 'cancelling';
  state.cancelReason = event.reason;
  turn.stopTasks();
}

/** Ends a failing or cancelling run when the last answer is in. */
export function settle(turn: Turn): void {
  const { state } = turn;
  if (state.inFlight > 0 || (state.phase !== 'failing' && state.phase !== 'cancelling')) return;
  const cancelled = state.phase === 'cancelling';
  state.failure ??= { code: 'CANCELLED', message: state.cancelReason ?? 'cancelled' };
  state.final = cancelled ? 'cancelled' : 'failed';
  state.phase = 'ended';
  turn.commands.push({ type: 'EndRun', status: state.final, failure: state.failure });
}

export function ended(turn: Turn, event: RunEnded): void {
  const { state } = turn;
  state.phase = 'ended';
  state.final = event.status;
  state.outputs = event.outputs;
  state.failure = event.failure;
  state.endedAtMs = turn.atMs;
}
