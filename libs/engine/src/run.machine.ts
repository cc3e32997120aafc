/**
 * The run: new → running → ended, or running → failing | cancelling → ended once nothing is in flight; ended (failed or
 * cancelled) → running where it is retried. With `failureMode: 'continue'` it stays running until nothing is left to do.
 */
import { NO_REQUIREMENTS, type CwlObject } from '@weft/plan';
import type { CancelAsked, RunAccepted, RunEnded } from './events.js';
import { rulesOf, since2 } from './rules.js';
import { bookFor } from './in-place.js';
import { partialOutputs } from './partial-outputs.js';
import type { TaskRecord } from './state.js';
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
  turn.later({
    type: 'activate',
    activation: { process: root, inputs: event.inputs, inherited: NO_REQUIREMENTS, owner: { kind: 'root' }, path: '', node: '', index: '' },
  });
}

/** The root process has its outputs. */
export function succeed(turn: Turn, outputs: CwlObject): void {
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
  for (const task of undone) if (task.pending?.spoiled !== true) turn.now({ type: 'retryTask', task });
  for (const work of state.parked.splice(0)) turn.later(work);
  if (state.completed) turn.later({ type: 'succeed', outputs: state.completed });
}

/** It cannot be done again: that is said once more. */
function failSpoiled(turn: Turn, task: TaskRecord): void {
  const failure = task.failure ?? { code: 'INTERNAL', message: 'it cannot be tried again' };
  turn.fail({ ...failure, step: task.step, taskId: task.taskId });
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
