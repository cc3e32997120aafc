import { type Command, initialState, type RunState } from '@weft/engine';
import { dueCommands } from './due-commands.js';

type RunTask = Extract<Command, { type: 'RunTask' }>;

const plan = { planVersion: 1 as const, cwlVersion: 'v1.2', root: 'main', processes: {} };

function runTask(taskId: string, decidedAtMs: number, delayMs = 0): RunTask {
  const task = {
    taskId,
    attempt: delayMs > 0 ? 2 : 1,
    step: 's',
    index: '',
    process: 'p',
    inputs: {},
    inherited: { requirements: [], hints: [] },
  };
  return { type: 'RunTask', ...task, decidedAtMs, delayMs };
}

function stateIn(phase: RunState['phase'], begun: string[] = []): RunState {
  const state = Object.assign(initialState(plan), { phase });
  for (const taskId of begun) state.tasks.set(taskId, { taskId, status: 'running', attempt: 2 } as never);
  return state;
}

const told = (commands: Command[]): unknown[] =>
  commands.map((command) => (command.type === 'RunTask' ? [command.taskId, command.delayMs] : command.type));

it('gives tasks in the order in which they came due, with what is left of their back-off', () => {
  const outstanding = [runTask('long', 100, 900), runTask('failed', 100, 500), runTask('later', 650), runTask('first', 50)];
  expect(told(dueCommands(stateIn('running'), outstanding, 700))).toEqual([
    ['first', 0],
    ['failed', 0],
    ['later', 0],
    ['long', 300],
  ]);
});

it('never lets a task wait longer than it was to wait, whatever the clocks say', () => {
  expect(told(dueCommands(stateIn('running'), [runTask('failed', 1_000_000, 500)], 0))).toEqual([['failed', 500]]);
});

it('lets nothing wait that has begun', () => {
  expect(told(dueCommands(stateIn('running', ['failed']), [runTask('failed', 100, 500)], 100))).toEqual([['failed', 0]]);
});

it('cancels the tasks of a run that is failing, and ends one that has ended', () => {
  const cancel = dueCommands(stateIn('failing'), [runTask('a', 0), runTask('b', 0, 500)], 0);
  const tasks = [
    { taskId: 'a', attempt: 1 },
    { taskId: 'b', attempt: 2 },
  ];
  expect(cancel).toEqual([{ type: 'CancelTasks', tasks }]);
  expect(told(dueCommands(stateIn('ended'), [], 0))).toEqual(['EndRun']);
});
