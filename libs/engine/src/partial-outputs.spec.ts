import fc from 'fast-check';
import type { CwlObject, Workflow } from '@weft/plan';
import type { Command, EngineEvent, RunOptions } from './index.js';
import { decide, initialState } from './index.js';
import { Driver, link, plan, tool, workflow } from './testing.js';

/** Tools called `bad` fail, and so do shards whose input is 'bad'. */
class Failing extends Driver {
  constructor(root: Workflow, options: Partial<RunOptions> = { failureMode: 'continue' }, others: Workflow[] = []) {
    super(plan(root.id, root, ...others, tool('good', ['x']), tool('bad', ['x'])), { list: ['1', 'bad', '3'] }, {}, options);
  }

  override answer(command: Command): EngineEvent {
    const event = super.answer(command);
    if (event.type !== 'TaskSucceeded' || command.type !== 'RunTask') return event;
    if (command.process !== 'bad' && command.inputs['x'] !== 'bad') return event;
    const { taskId, attempt } = command;
    return { type: 'TaskFailed', taskId, attempt, failure: { code: 'TOOL_EXIT', message: 'no' }, retryable: false };
  }
}

const ended = (driver: Driver): { status: string | undefined; outputs: CwlObject | undefined } => {
  driver.finish();
  const { status, outputs } = driver.ends().at(-1) ?? {};
  return { status, outputs };
};
const x = (from: string) => ({ x: { link: link(from) } });

it('are what succeeded, and null for the rest', () => {
  const root = workflow(
    'main',
    ['list'],
    {
      a: 'a/out',
      b: 'b/out',
      after: 'after/out',
      given: 'list',
      both: link(['a/out', 'b/out']),
      picked: link(['b/out'], 'merge_nested', 'the_only_non_null'),
    },
    { a: { run: 'good' }, b: { run: 'bad' }, after: { run: 'good', in: x('b/out') } },
  );
  expect(ended(new Failing(root))).toEqual({
    status: 'failed',
    outputs: { a: 'good(null)', b: null, after: null, given: ['1', 'bad', '3'], both: ['good(null)', null], picked: null },
  });
});

it('have the shards that succeeded in their places, at whatever depth', () => {
  const each = { run: 'good', scatter: ['x'], in: x('list') };
  const inner = workflow('inner', ['x'], { one: 'one/out', two: 'two/out' }, { one: { run: 'good' }, two: { run: 'good', in: x('x') } });
  const root = workflow(
    'main',
    ['list'],
    { flat: 'flat/out', deep: 'deep/two', whole: 'deep/one', once: 'once/one' },
    {
      flat: each,
      deep: { ...each, run: 'inner', out: ['one', 'two'] },
      once: { run: 'inner', out: ['one', 'two'], in: { x: { default: 'bad' } } },
    },
  );
  expect(ended(new Failing(root, undefined, [inner])).outputs).toEqual({
    flat: ['good(1)', null, 'good(3)'],
    deep: ['good(1)', null, 'good(3)'],
    whole: ['good(null)', 'good(null)', 'good(null)'],
    once: 'good(null)',
  });
});

it('are none where a failure stops the run, where it was cancelled, and of a single tool', () => {
  const root = workflow('main', [], { a: 'a/out', b: 'b/out' }, { a: { run: 'good' }, b: { run: 'bad' } });
  expect(ended(new Failing(root, {})).outputs).toBeUndefined();
  const cancelled = new Failing(root);
  cancelled.feed({ type: 'CancelAsked', reason: 'enough' });
  expect(ended(cancelled)).toEqual({ status: 'cancelled', outputs: undefined });
  const one = new Driver(plan('bad', tool('bad', [])), {}, {}, { failureMode: 'continue' });
  one.open.splice(0);
  one.feed({ type: 'TaskFailed', taskId: 'r-1', attempt: 1, failure: { code: 'X', message: '' }, retryable: false });
  expect(one.ends().at(-1)).toMatchObject({ status: 'failed' });
  expect(one.state.outputs).toBeUndefined();
});

it('are the same in whatever order tasks end, stay with the sealed run and go with its retry', () => {
  const root = workflow(
    'main',
    ['list'],
    { flat: 'flat/out', b: 'b/out' },
    { flat: { run: 'good', scatter: ['x'], in: x('list') }, b: { run: 'bad' } },
  );
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 5, maxLength: 5 }), (picks) => {
      const run = new Failing(root);
      let at = 0;
      run.finish((open) => (picks[at++ % 5] ?? 0) % open);
      const outputs = { flat: ['good(1)', null, 'good(3)'], b: null };
      expect(run.ends().at(-1)?.outputs).toEqual(outputs);
      run.feed({ type: 'RunEnded', status: 'failed', failure: { code: 'X', message: '' } });
      expect(run.state.outputs).toEqual(outputs);
      const replayed = initialState(run.state.plan);
      for (const [index, event] of run.events.entries()) decide(replayed, event, index + 1);
      expect(replayed.outputs).toEqual(outputs);
      run.feed({ type: 'RunRetried' });
      expect(run.state.outputs).toBeUndefined();
    }),
  );
});

it('are not those of a run that had all of them, which were not to be had then', () => {
  const run = new Failing(workflow('main', [], { a: 'a/out' }, { a: { run: 'good' } }));
  run.finish();
  run.feed({ type: 'RunEnded', status: 'failed', failure: { code: 'INPUT_FILE', message: 'gone' } });
  expect(run.state.outputs).toBeUndefined();
});
