/**
 * The run: new → running → ended, or running → failing | cancelling → ended once nothing is in flight; ended (failed or
 * cancelled) → running where it is retried. With `failureMode: 'continue'` it stays running until nothing is left to do.
 */
import { NO_REQUIREMENTS, type CwlObject } from '@weft/plan';
import { activate } from './activation.js';
import type { CancelAsked, RunAccepted, RunEnded } from './events.js';
import { rulesOf, since2 } from './rules.js';
import { bookFor } from './in-place.js';
import { partialOutputs } from './partial-outputs.js';
import { shardDone } from './step.machine.js';
import { failSpoiled, retryTask } from './task.machine.js';
import type { Owner } from './state.js';
import type { Turn } from './turn.js';

export function accept(turn: Turn, event: RunAccepted): void {
  const { state } = turn;
  state.rules = rulesOf(event.rules);
  state.runId = event.runId;
  state.options = event.options;
  state.phase = 'running';
  state.acceptedAtMs = turn.atMs;
  const book = since2(state.rules) ? bookFor(state.plan) : undefined;
  if (book !== undefined) state.inPlace = book;
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
  turn.orPark((now) => succeed(now, outputs));
}

function succeed(turn: Turn, outputs: CwlObject): void {
  const { state } = turn;
  state.completed = outputs;
  state.outputs = outputs;
  state.final = 'succeeded';
  state.phase = 'ended';
  turn.commands.push({ type: 'EndRun', status: 'succeeded', outputs });
}

export function cancelAsked(turn: Turn, event: CancelAsked): void {
  const { state } = turn;
  if (state.phase !== 'running') {
    turn.ignored = `cancel: the run is ${state.phase}`;
    return;
  }
  if (event.timeLimit === true) {
    // What failed before it (with `failureMode: 'continue'`) did not end the run.
    state.failure = { code: 'RUN_TIME_LIMIT', message: event.reason };
    state.phase = 'failing';
  } else {
    state.phase = 'cancelling';
    state.cancelReason = event.reason;
  }
  turn.stopTasks();
}

/** Ends a failing or cancelling run when the last answer is in, and one that went on after failures when nothing is left to do. */
export function settle(turn: Turn): void {
  const { state } = turn;
  if (state.inFlight > 0 || state.phase === 'new' || state.phase === 'ended') return;
  if (state.phase === 'running' && !state.failure) return;
  const cancelled = state.phase === 'cancelling';
  state.failure ??= { code: 'CANCELLED', message: state.cancelReason ?? 'cancelled' };
  state.final = cancelled ? 'cancelled' : 'failed';
  state.phase = 'ended';
  const hasParts = state.final === 'failed' && state.options.failureMode === 'continue' && since2(state.rules);
  const outputs = hasParts ? partialOutputs(state) : undefined;
  if (outputs !== undefined) state.outputs = outputs;
  turn.commands.push({ type: 'EndRun', status: state.final, failure: state.failure, ...(outputs && { outputs }) });
}

/** What succeeded stays; failed and cancelled tasks get their next attempt, and what was left undone is taken up. */
export function retried(turn: Turn): void {
  const { state } = turn;
  if (state.phase !== 'ended' || state.final === 'succeeded') {
    turn.ignored = `retry: the run is ${state.phase === 'ended' ? 'succeeded' : state.phase}`;
    return;
  }
  state.phase = 'running';
  state.retriedAtMs = turn.atMs;
  for (const key of ['final', 'failure', 'outputs', 'cancelReason', 'endedAtMs'] as const) delete state[key];
  const undone = [...state.tasks.values()].filter(({ pending, status }) => pending && (status === 'failed' || status === 'cancelled'));
  for (const task of undone) if (task.pending?.spoiled === true) failSpoiled(turn, task);
  if (state.phase !== 'running') return;
  for (const task of undone) if (task.pending?.spoiled !== true) retryTask(turn, task);
  for (const work of state.parked.splice(0)) turn.later(() => turn.orPark(work));
  const { completed } = state;
  if (completed) turn.later(() => succeed(turn, completed));
}

export function ended(turn: Turn, event: RunEnded): void {
  const { state } = turn;
  const own = event.status === 'succeeded' ? state.completed : event.status === state.final ? state.outputs : undefined;
  state.phase = 'ended';
  state.final = event.status;
  state.outputs = event.outputs ?? own;
  state.failure = event.failure;
  state.endedAtMs = turn.atMs;
}
