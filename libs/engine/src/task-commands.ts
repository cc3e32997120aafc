/** The command for a task's current attempt. */
import type { EvaluateExpressionTool, RunTask } from './commands.js';
import { pendingOf } from './records.js';
import type { TaskRecord } from './state.js';

export function runTask(task: TaskRecord, decidedAtMs: number, delayMs: number): RunTask {
  const { taskId, attempt, step, index, process } = task;
  const { inputs, inherited, avoid, ramFactor } = pendingOf(task);
  return {
    ...{ type: 'RunTask', taskId, attempt, step, index, process, inputs, inherited, decidedAtMs, delayMs },
    ...(avoid && { avoid: [...avoid] }),
    ...(ramFactor !== undefined && { ramFactor }),
  };
}

export function evaluateTool(task: TaskRecord): EvaluateExpressionTool {
  const { taskId, attempt, step, process } = task;
  const { inputs, inherited } = pendingOf(task);
  return { type: 'EvaluateExpressionTool', taskId, attempt, step, process, inputs, inherited };
}
