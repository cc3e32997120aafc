/** Attempts of a run's tasks, as their release sees them. */
import type { Command } from '@weft/engine';
import type { OwnedRun } from '../runs/owned-run.js';
import type { Share } from './fair-share.js';

export type RunTask = Extract<Command, { type: 'RunTask' }>;
export type Attempt = Pick<RunTask, 'taskId' | 'attempt'>;

export function isRunning(actor: OwnedRun, { taskId, attempt }: Attempt): boolean {
  const task = actor.state.tasks.get(taskId);
  return task?.attempt === attempt && task.status === 'running';
}

/** An attempt's own: what comes late about an attempt before must not touch it. */
export function slotOf({ taskId, attempt }: Attempt): string {
  return `${taskId}.${attempt}`;
}

export function isLive(actor: OwnedRun, slot: string): boolean {
  const task = actor.state.tasks.get(slot.slice(0, slot.lastIndexOf('.')));
  return task !== undefined && slotOf(task) === slot && (task.status === 'queued' || task.status === 'running');
}

export function shareOf(actor: OwnedRun): Share {
  const { priority = 0, maxParallelTasks } = actor.state.options;
  return { run: actor.runId, project: actor.base.projectId, priority, ...(maxParallelTasks && { maxParallel: maxParallelTasks }) };
}
