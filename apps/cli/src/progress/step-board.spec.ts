import fc from 'fast-check';
import { run } from '@weft/contracts';
import { reusedLine } from './reused.js';
import { StepBoard, describeStep } from './step-board.js';

const { QUEUED, RUNNING, SUCCEEDED, FAILED, SKIPPED } = run.TaskStatus;
const task = (step: string, taskId: string, status: run.TaskStatus): run.Task => run.Task.fromPartial({ step, taskId, status });

describe('StepBoard', () => {
  it('says when a step starts and when all of its tasks are finished', () => {
    const board = new StepBoard();
    const changes = [
      task('count', 't1', QUEUED),
      task('count', 't2', QUEUED),
      task('count', 't1', RUNNING),
      task('count', 't2', RUNNING),
      task('count', 't1', SUCCEEDED),
      task('count', 't2', FAILED),
    ].map((update) => board.update(update).change);
    expect(changes).toEqual(['none', 'none', 'started', 'none', 'none', 'finished']);
  });

  it('takes a replayed event for nothing new', () => {
    const board = new StepBoard();
    board.update(task('a', 't1', RUNNING));
    expect(board.update(task('a', 't1', RUNNING)).change).toBe('none');
    expect(board.totals()).toMatchObject({ running: 1 });
  });

  it('lists the steps that are running', () => {
    const board = new StepBoard();
    board.update(task('a', 't1', RUNNING));
    board.update(task('b', 't2', QUEUED));
    board.update(task('c', 't3', SKIPPED));
    expect(board.running().map(({ step }) => step)).toEqual(['a']);
  });

  it.each([
    [[SUCCEEDED], 'done'],
    [[FAILED], 'failed'],
    [[SKIPPED], 'skipped'],
    [[RUNNING], 'running'],
    [[SUCCEEDED, RUNNING, QUEUED, FAILED], '1 of 4 done, 1 running, 1 failed'],
  ])('describes tasks in states %j as "%s"', (states, text) => {
    const board = new StepBoard();
    const last = states.map((status, index) => board.update(task('s', `t${index}`, status))).at(-1);
    expect(last && describeStep(last.state)).toBe(text);
  });

  it('tells nothing of what it remembers from before a retry, and counts it', () => {
    const board = new StepBoard();
    for (const [id, status] of [
      ['t1', SUCCEEDED],
      ['t2', RUNNING],
      ['t2', FAILED],
    ] as const)
      board.remember(task('s', id, status));
    expect(board.update(task('s', 't2', QUEUED)).change).toBe('none');
    expect(board.update(task('s', 't2', RUNNING)).change).toBe('started');
    const { state, change } = board.update(task('s', 't2', SUCCEEDED));
    expect([change, describeStep(state)]).toEqual(['finished', '2 of 2 done']);
  });

  it.each<[number, number, RegExp | undefined]>([
    [0, 3, undefined],
    [1, 1, /^the task was not executed: it has the results of earlier ones .*weft run --no-cache executes everything$/],
    [2, 3, /^2 of 3 tasks were not executed: they have .*weft run --no-cache executes everything$/],
  ])('says at the end that %i of %i tasks have earlier results, and how to do without', (reused, succeeded, expected) => {
    const line = reusedLine(reused, succeeded);
    if (expected === undefined) expect(line).toBeUndefined();
    else expect(line).toMatch(expected);
  });

  it('says which tasks were not executed', () => {
    const cached = (taskId: string): run.Task => ({ ...task('s', taskId, SUCCEEDED), cached: true });
    const board = new StepBoard();
    expect(describeStep(board.update(cached('t1')).state)).toBe('cached');
    board.update(task('s', 't2', SUCCEEDED));
    board.update(cached('t1'));
    expect(describeStep(board.update(cached('t3')).state)).toBe('3 of 3 done, 2 cached');
    expect(board.cached()).toBe(2);
  });

  it('counts every task exactly once', () => {
    const update = fc.record({ id: fc.nat(5), status: fc.constantFrom(QUEUED, RUNNING, SUCCEEDED, FAILED, SKIPPED) });
    fc.assert(
      fc.property(fc.array(update), (updates) => {
        const board = new StepBoard();
        for (const { id, status } of updates) board.update(task(`s${id % 2}`, `t${id}`, status));
        const total = Object.values(board.totals()).reduce((sum, count) => sum + count, 0);
        expect(total).toBe(new Set(updates.map(({ id }) => id)).size);
      }),
    );
  });
});
