/** The records of a run's tasks, and what is counted of them. */
import type { Process } from '@weft/plan';
import type { Activation, PendingTask, RunState, StepInstance, TaskRecord, TaskStatus } from './state.js';

/** A record for a process that was activated, or skipped; it is queued. @param atMs of the turn */
export function addRecord(state: RunState, of: Pick<Activation, 'path' | 'index' | 'process' | 'scatterSize'>, atMs: number): TaskRecord {
  const task: TaskRecord = {
    ...{ taskId: nextTaskId(state), step: of.path, index: of.index, process: of.process, scatterSize: of.scatterSize },
    ...{ status: 'queued', attempt: 1, runnerId: undefined, runtime: undefined, preparing: undefined, exitCode: undefined },
    ...{ cached: false, failure: undefined, queuedAtMs: atMs, startedAtMs: undefined, finishedAtMs: undefined },
    ...{ outputs: undefined, pending: undefined },
  };
  state.tasks.set(task.taskId, task);
  state.tally.queued += 1;
  state.live.set(task.step, (state.live.get(task.step) ?? 0) + 1);
  return task;
}

/** Joined, not concatenated: an id lives as long as the run, and a concatenation keeps its parts beside it. */
export function nextTaskId(state: RunState): string {
  return [state.runId, state.tasks.size + 1].join('-');
}

/** Changes a task's status and keeps tally and live steps right. */
export function setStatus(state: RunState, task: TaskRecord, status: TaskStatus): void {
  const before = isLive(task.status);
  state.tally[task.status] -= 1;
  task.status = status;
  state.tally[status] += 1;
  const change = Number(isLive(status)) - Number(before);
  if (change === 0) return;
  const left = (state.live.get(task.step) ?? 0) + change;
  if (left === 0) state.live.delete(task.step);
  else state.live.set(task.step, left);
}

export function isLive(status: TaskStatus): boolean {
  return status === 'queued' || status === 'running';
}

export function pendingOf(task: TaskRecord): PendingTask {
  if (!task.pending) throw new Error(`task ${task.taskId} has succeeded`);
  return task.pending;
}

export function processOf(state: RunState, id: string): Process {
  const process = state.plan.processes[id];
  if (!process) throw new Error(`the plan has no process '${id}'`);
  return process;
}

export function pathOf(step: StepInstance): string {
  return step.scope.path === '' ? step.step.name : `${step.scope.path}/${step.step.name}`;
}

/** Tasks that are certain to come: shards of scatters over tools that are not begun. */
export function tasksToCome({ phase, plan, unbegun }: RunState): number {
  if (phase !== 'running') return 0;
  let count = 0;
  for (const { step, shards, nextShard } of unbegun) {
    if (shards && plan.processes[step.run]?.class !== 'Workflow') count += shards.count - nextShard;
  }
  return count;
}
