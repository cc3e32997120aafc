import fc from 'fast-check';
import { run } from '@weft/contracts';
import { planOf } from '../spec-support/plan-of.js';
import { expectedSteps } from './expected-steps.js';
import { forecast, progressLine } from './forecast.js';
import { StepBoard } from './step-board.js';

const { QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, SKIPPED } = run.TaskStatus;
const task = (step: string, taskId: string, status: run.TaskStatus, more: Partial<run.Task> = {}): run.Task =>
  run.Task.fromPartial({ step, taskId, status, ...more });
const steps = (...paths: string[]) => ({ paths: new Set(paths), open: false });

/** Tasks of one step that ran side by side from 0 to 10 s. */
function boardOf(...ended: run.TaskStatus[]): StepBoard {
  const board = new StepBoard();
  for (const [n, status] of ended.entries()) {
    board.update(task('s', `t${n}`, RUNNING, { scatterSize: 10, index: String(n) }), 0);
    board.update(task('s', `t${n}`, status, { scatterSize: 10, index: String(n) }), 10_000);
  }
  return board;
}

it.each<[run.TaskStatus[], string]>([
  [[], '[░░░░░░░░░░░░░░░░░░░░] 0%, 0 of 1 done'],
  [[SUCCEEDED], '[██░░░░░░░░░░░░░░░░░░] 10%, 1 of 10 done'],
  [[SUCCEEDED, SUCCEEDED], '[████░░░░░░░░░░░░░░░░] 20%, 2 of 10 done; about 4 min left'],
  [[SUCCEEDED, FAILED, CANCELLED], '[██░░░░░░░░░░░░░░░░░░] 10%, 1 of 10 done, 1 failed, 1 cancelled; about 4 min left'],
  [[SKIPPED, SKIPPED, SKIPPED], '[██████░░░░░░░░░░░░░░] 30%, 3 of 10 done'],
  [[...Array.from({ length: 9 }, () => SUCCEEDED), FAILED], '[██████████████████░░] 90%, 9 of 10 done, 1 failed'],
  [Array.from({ length: 10 }, () => SUCCEEDED), '[████████████████████] 100%, 10 of 10 done'],
])('tasks that ended as %j: %s', (ended, line) => {
  expect(progressLine(boardOf(...ended), steps('s'), 60_000)).toBe(line);
});

it('says "at least" where steps have not begun, where nobody can count their tasks, and where the plan is not known', () => {
  const board = boardOf(SUCCEEDED, SUCCEEDED);
  expect(progressLine(board, steps('s', 'next'), 60_000)).toContain('18%, 2 of 11 done; at least 5 min left');
  expect(progressLine(board, { paths: new Set(['s']), open: true }, 60_000)).toContain('at least 4 min left');
  expect(progressLine(board, undefined, 60_000)).toContain('at least 4 min left');
});

it('derives no time from what was not executed', () => {
  const board = new StepBoard();
  for (const id of ['t1', 't2', 't3']) board.update(task('s', id, SUCCEEDED, { cached: true, scatterSize: 10 }), 0);
  for (const id of ['t4', 't5']) board.remember(task('s', id, SUCCEEDED, { scatterSize: 10 }));
  board.update(task('s', 't6', RUNNING, { scatterSize: 10 }), 0);
  expect(forecast(board, undefined, 60_000)).toEqual({ done: 5, total: 10, percent: 50 });
});

it('never says that all is done while something is not', () => {
  const update = fc.record({ id: fc.nat(9), status: fc.constantFrom(QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, SKIPPED) });
  fc.assert(
    fc.property(fc.array(update), fc.nat(3), (updates, unbegun) => {
      const board = new StepBoard();
      for (const { id, status } of updates) board.update(task(`s${id % 3}`, `t${id}`, status), 0);
      const expected = steps(...Array.from({ length: unbegun }, (_, n) => `later${n}`));
      const { done, total, percent, left } = forecast(board, expected, 1000);
      const { succeeded, skipped } = board.totals();
      expect(done).toBe(succeeded + skipped);
      expect(total).toBe(new Set(updates.map(({ id }) => id)).size + unbegun);
      expect(percent === 100).toBe(total > 0 && done === total);
      if (left !== undefined) expect(left.ms).toBeGreaterThanOrEqual(0);
    }),
  );
});

const tool = '{class: CommandLineTool, inputs: {x: Any?}, outputs: {}, baseCommand: "true"}';
const flow = (inside: string): string => `{class: Workflow, inputs: {x: 'Any[]?'}, outputs: {}, steps: {${inside}}}`;
it.each([
  [tool, [''], false],
  [flow(`a: {in: {}, out: [], run: ${tool}}, b: {in: {x: x}, out: [], scatter: x, run: ${tool}}`), ['a', 'b'], false],
  [flow(`a: {in: {}, out: [], run: ${flow(`c: {in: {}, out: [], run: ${tool}}`)}}`), ['a/c'], false],
  [flow(`a: {in: {x: x}, out: [], scatter: x, run: ${flow(`c: {in: {}, out: [], run: ${tool}}`)}}`), ['a/c'], true],
])('%s has steps %j', async (process, paths, open) => {
  const requirements = 'requirements: {ScatterFeatureRequirement: {}, SubworkflowFeatureRequirement: {}}';
  const plan = await planOf(process.replace('{', `{cwlVersion: v1.2, ${process.includes('Workflow') ? `${requirements}, ` : ''}`));
  expect(expectedSteps(plan)).toEqual({ paths: new Set(paths), open });
});
