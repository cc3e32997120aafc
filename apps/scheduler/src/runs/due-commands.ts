/** What a run has still to do whose log was replayed. Pure. */
import type { Command, RunState } from '@weft/engine';

/**
 * @param outstanding commands whose answers are due
 * @returns what is to be carried out, in order
 */
export function dueCommands(state: RunState, outstanding: readonly Command[], nowMs: number): Command[] {
  const { phase, final, outputs, failure } = state;
  if (phase === 'ended') return [{ type: 'EndRun', status: final ?? 'failed', outputs, failure }];
  if (phase === 'running' || phase === 'new') return inOrder(state, outstanding, nowMs);
  const tasks = outstanding.flatMap((command) =>
    command.type === 'RunTask' ? [{ taskId: command.taskId, attempt: command.attempt }] : [],
  );
  return [...outstanding.filter((command) => command.type !== 'RunTask'), { type: 'CancelTasks', tasks }];
}

/**
 * Whoever had the run before may have released what is due by now, in the order in which it came due: so do we, or the run's limit would let
 * go of others beside what is in flight. What has begun waits for nothing.
 */
function inOrder(state: RunState, outstanding: readonly Command[], nowMs: number): Command[] {
  const left = (command: Command): Command => {
    if (command.type !== 'RunTask' || command.delayMs === 0) return command;
    const begun = state.tasks.get(command.taskId)?.status === 'running';
    return { ...command, delayMs: begun ? 0 : Math.min(command.delayMs, Math.max(0, dueMs(command) - nowMs)) };
  };
  return [...outstanding].sort((a, b) => dueMs(a) - dueMs(b)).map(left);
}

function dueMs(command: Command): number {
  return command.type === 'RunTask' ? command.decidedAtMs + command.delayMs : 0;
}
