/**
 * A task's answers.
 *
 *   queued, running + TaskPreparing  → queued, and what is done for it
 *   queued, running + TaskStarted    → running
 *   queued, running + TaskSucceeded  → succeeded
 *   queued, running + TaskFailed     → queued with the next attempt (retryable, attempts left, run goes on) | failed, and so is the run
 *                                      An attempt that was killed for its memory is retryable where the run multiplies it.
 *   queued, running + TaskCancelled  → cancelled; where the run is not ending, the task is submitted again
 *   … that may have changed files in place: failed for good unless it succeeded, and also then where another task has to do with those (in-place.ts)
 *
 * Tolerated: any answer for an attempt that is not the current one, or for a task that has ended (both happen when a runner
 * or dispatcher comes back after it was given up). An unknown task is reported as ignored too.
 */
import type { Failure, TaskCancelled, TaskFailed, TaskPreparing, TaskStarted, TaskSucceeded } from './events.js';
import { useInPlace } from './in-place.js';
import { isLive, pendingOf } from './records.js';
import { backOffMs } from './rules.js';
import type { PendingTask, TaskRecord } from './state.js';
import { evaluateTool, runTask } from './task-commands.js';
import type { Turn } from './turn.js';

type Answer = TaskPreparing | TaskStarted | TaskSucceeded | TaskFailed | TaskCancelled;

export function taskAnswered(turn: Turn, event: Answer): void {
  const task = turn.state.tasks.get(event.taskId);
  if (!task) {
    turn.ignored = `${event.type}: unknown task ${event.taskId}`;
    return;
  }
  if (task.attempt !== event.attempt || !isLive(task.status)) {
    turn.ignored = `${event.type}: task ${event.taskId} is ${task.status} at attempt ${task.attempt}, the answer is for attempt ${event.attempt}`;
    return;
  }
  switch (event.type) {
    case 'TaskPreparing':
      return preparing(turn, task, event);
    case 'TaskStarted':
      return started(turn, task, event);
    case 'TaskSucceeded':
      return succeeded(turn, task, event);
    case 'TaskFailed':
      return failed(turn, task, event);
    case 'TaskCancelled':
      return cancelled(turn, task, event);
  }
}

function preparing(turn: Turn, task: TaskRecord, event: TaskPreparing): void {
  // Who has the attempt has it until another does.
  task.runnerId = event.runnerId ?? task.runnerId;
  task.runtime = event.runtime ?? task.runtime;
  task.startedAtMs = undefined;
  task.preparing = event.doing === '' ? undefined : event.doing;
  turn.mark(task, 'queued');
}

function started(turn: Turn, task: TaskRecord, event: TaskStarted): void {
  task.runnerId = event.runnerId;
  task.runtime = event.runtime;
  task.startedAtMs = turn.atMs;
  task.preparing = undefined;
  turn.state.startedAtMs ??= turn.atMs;
  turn.mark(task, 'running');
  const conflict = useInPlace(turn.state, task.taskId, event.inPlace ?? []);
  if (conflict !== undefined) turn.fail({ ...conflict, taskId: task.taskId });
}

function succeeded(turn: Turn, task: TaskRecord, event: TaskSucceeded): void {
  const conflict = useInPlace(turn.state, task.taskId, event.inPlace ?? []);
  if (conflict !== undefined) return spoil(turn, task, { ...conflict, taskId: task.taskId });
  const owner = task.pending?.owner;
  task.outputs = event.outputs;
  if (event.exitCode !== undefined) task.exitCode = event.exitCode;
  task.cached = event.cached === true;
  turn.state.startedAtMs ??= turn.atMs;
  end(turn, task, 'succeeded');
  if (owner) turn.now({ type: 'complete', owner, outputs: event.outputs });
}

/** What it changed in place nobody can take back: neither this task nor a retry of the run tries again. */
function spoil(turn: Turn, task: TaskRecord, failure: Failure): void {
  pendingOf(task).spoiled = true;
  task.failure = failure;
  end(turn, task, 'failed');
  turn.fail({ ...failure, step: task.step, taskId: task.taskId });
}

/** @returns the failure of an attempt that another one would find a changed file after */
function afterChange(failure: Failure, [first = '', ...others]: string[]): Failure {
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const message = `${failure.message} (it may have changed ${first}${more} in place, so it is not tried again: submit the run anew)`;
  return { ...failure, message };
}

function failed(turn: Turn, task: TaskRecord, event: TaskFailed): void {
  if (event.inPlace !== undefined && event.inPlace.length > 0) {
    if (event.failure.exitCode !== undefined) task.exitCode = event.failure.exitCode;
    return spoil(turn, task, afterChange(event.failure, event.inPlace));
  }
  task.failure = event.failure;
  if (event.failure.exitCode !== undefined) task.exitCode = event.failure.exitCode;
  const pending = pendingOf(task);
  const tried = task.attempt - (pending.firstAttempt ?? 1) + 1;
  const mayTry = tried < turn.state.options.maxAttempts && turn.state.phase === 'running';
  if (mayTry && (event.retryable || withMoreMemory(turn, pending, event))) {
    const runnerId = event.runnerId ?? task.runnerId;
    if (event.retryable && runnerId !== undefined) pending.avoid = [...new Set([...(pending.avoid ?? []), runnerId])];
    again(turn, task, event.retryable ? backOffMs(turn.state.rules, task.taskId, tried) : 0);
    return;
  }
  end(turn, task, 'failed');
  turn.fail({ ...event.failure, step: task.step, ...(task.index !== '' && { index: task.index }), taskId: task.taskId });
}

/** Whether the task is to be tried with more memory; it has it then. */
function withMoreMemory(turn: Turn, pending: PendingTask, { failure }: TaskFailed): boolean {
  const { oomRetryFactor } = turn.state.options;
  if (failure.code !== 'OUT_OF_MEMORY' || oomRetryFactor === undefined) return false;
  pending.ramFactor = (pending.ramFactor ?? 1) * oomRetryFactor;
  return true;
}

/** The next attempt of a task of a run that is retried. */
export function retryTask(turn: Turn, task: TaskRecord): void {
  const pending = pendingOf(task);
  pending.firstAttempt = task.attempt + 1;
  pending.avoid = undefined;
  task.failure = task.exitCode = task.finishedAtMs = undefined;
  turn.state.inFlight += 1;
  again(turn, task, 0);
}

function cancelled(turn: Turn, task: TaskRecord, { inPlace = [] }: TaskCancelled): void {
  if (inPlace.length > 0) {
    const failure = afterChange({ code: 'CANCELLED', message: 'the task was stopped' }, inPlace);
    if (turn.state.phase === 'running') return spoil(turn, task, failure);
    pendingOf(task).spoiled = true;
    task.failure = failure;
  }
  if (turn.state.phase === 'running') {
    again(turn, task, 0);
    return;
  }
  end(turn, task, 'cancelled');
}

function again(turn: Turn, task: TaskRecord, delayMs: number): void {
  task.attempt += 1;
  task.startedAtMs = task.runnerId = task.runtime = task.preparing = undefined;
  turn.mark(task, 'queued');
  turn.commands.push(task.pending?.expression ? evaluateTool(task) : runTask(task, turn.atMs, delayMs));
}

function end(turn: Turn, task: TaskRecord, status: 'succeeded' | 'failed' | 'cancelled'): void {
  turn.mark(task, status);
  task.preparing = undefined;
  task.finishedAtMs = turn.atMs;
  if (status === 'succeeded') task.pending = undefined;
  turn.settled();
}
