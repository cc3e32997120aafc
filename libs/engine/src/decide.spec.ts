import type { CwlObject, Plan } from '@weft/plan';
import fc from 'fast-check';
import { decide, initialState, type EngineEvent } from './index.js';
import { ACCEPTED, Driver, link, plan, tool, workflow, type World } from './testing.js';

const t = tool('t', ['x']);
const pair = tool('pair', ['x', 'y']);

const upTo = (limit: number): World => ({
  run: (_process, { x }) => ({ out: Number(x) + 1 }),
  bind: (_step, values) => ({ inputs: values, run: Number(values['x']) < limit }),
});
const looping = (outputMethod: 'last_iteration' | 'all_iterations'): Plan =>
  plan(
    'w',
    workflow(
      'w',
      ['i'],
      { o: 's/out' },
      {
        s: { run: 't', in: { x: 'i' }, when: '$(inputs.x < 3)', loop: [{ name: 'x', link: link('s/out') }], outputMethod },
      },
    ),
    t,
  );

/** name, plan, inputs, expected outputs, world */
const rows: [string, Plan, CwlObject, CwlObject, World?][] = [
  ['a single tool', plan('t', t), { x: 'a' }, { out: 't(a)' }],
  [
    'a chain',
    plan('w', workflow('w', ['i'], { o: 'b/out' }, { b: { run: 't', in: { x: 'a/out' } }, a: { run: 't', in: { x: 'i' } } }), t),
    { i: 1 },
    { o: 't(t(1))' },
  ],
  ['an input passed through', plan('w', workflow('w', ['i'], { o: 'i' }, {})), { i: [1] }, { o: [1] }],
  [
    'a default of the tool for null',
    plan(
      'w',
      workflow('w', ['i'], { o: 's/out' }, { s: { run: 'd', in: { x: 'i' } } }),
      tool('d', [], ['out'], { inputs: [{ name: 'x', type: 'Any', default: 7 }] }),
    ),
    {},
    { o: 'd(7)' },
  ],
  [
    'a default of the step for null',
    plan('w', workflow('w', ['i'], { o: 's/out' }, { s: { run: 't', in: { x: { link: link('i'), default: 5 } } } }), t),
    {},
    { o: 't(5)' },
  ],
  [
    'inputs the tool does not declare are not passed on',
    plan('w', workflow('w', ['i'], { o: 's/out' }, { s: { run: 't', in: { x: 'i', extra: 'i' } } }), t),
    { i: 1 },
    { o: 't(1)' },
  ],
  ['merge_nested', plan('w', workflow('w', ['a', 'b'], { o: link(['a', 'b']) }, {})), { a: [1], b: 2 }, { o: [[1], 2] }],
  [
    'merge_flattened',
    plan('w', workflow('w', ['a', 'b'], { o: link(['a', 'b'], 'merge_flattened') }, {})),
    { a: [1], b: 2 },
    { o: [1, 2] },
  ],
  [
    'first_non_null',
    plan('w', workflow('w', ['a', 'b'], { o: link(['a', 'b'], 'merge_nested', 'first_non_null') }, {})),
    { b: 2 },
    { o: 2 },
  ],
  ['all_non_null', plan('w', workflow('w', ['a', 'b'], { o: link(['a', 'b'], 'merge_nested', 'all_non_null') }, {})), { b: 2 }, { o: [2] }],
  [
    'scatter over one input',
    plan('w', workflow('w', ['i'], { o: 's/out' }, { s: { run: 't', in: { x: 'i' }, scatter: ['x'] } }), t),
    { i: [1, 2] },
    { o: ['t(1)', 't(2)'] },
  ],
  [
    'scatter over nothing',
    plan('w', workflow('w', ['i'], { o: 's/out' }, { s: { run: 't', in: { x: 'i' }, scatter: ['x'] } }), t),
    { i: [] },
    { o: [] },
  ],
  [
    'dotproduct',
    plan(
      'w',
      workflow(
        'w',
        ['a', 'b'],
        { o: 's/out' },
        { s: { run: 'pair', in: { x: 'a', y: 'b' }, scatter: ['x', 'y'], scatterMethod: 'dotproduct' } },
      ),
      pair,
    ),
    { a: [1, 2], b: [3, 4] },
    { o: ['pair(1,3)', 'pair(2,4)'] },
  ],
  [
    'flat_crossproduct',
    plan(
      'w',
      workflow(
        'w',
        ['a', 'b'],
        { o: 's/out' },
        { s: { run: 'pair', in: { x: 'a', y: 'b' }, scatter: ['x', 'y'], scatterMethod: 'flat_crossproduct' } },
      ),
      pair,
    ),
    { a: [1, 2], b: [3, 4] },
    { o: ['pair(1,3)', 'pair(1,4)', 'pair(2,3)', 'pair(2,4)'] },
  ],
  [
    'nested_crossproduct',
    plan(
      'w',
      workflow(
        'w',
        ['a', 'b'],
        { o: 's/out' },
        { s: { run: 'pair', in: { x: 'a', y: 'b' }, scatter: ['x', 'y'], scatterMethod: 'nested_crossproduct' } },
      ),
      pair,
    ),
    { a: [1, 2], b: [3, 4] },
    {
      o: [
        ['pair(1,3)', 'pair(1,4)'],
        ['pair(2,3)', 'pair(2,4)'],
      ],
    },
  ],
  [
    'nested_crossproduct with an empty axis',
    plan(
      'w',
      workflow(
        'w',
        ['a', 'b'],
        { o: 's/out' },
        { s: { run: 'pair', in: { x: 'a', y: 'b' }, scatter: ['x', 'y'], scatterMethod: 'nested_crossproduct' } },
      ),
      pair,
    ),
    { a: [1, 2], b: [] },
    { o: [[], []] },
  ],
  [
    'a step whose when is false',
    plan('w', workflow('w', ['i'], { o: 's/out' }, { s: { run: 't', in: { x: 'i', when: 'i' }, when: '$(inputs.when)' } }), t),
    { i: false },
    { o: null },
  ],
  [
    'when per shard',
    plan(
      'w',
      workflow(
        'w',
        ['i'],
        { o: 's/out' },
        { s: { run: 't', in: { x: 'i', when: 'i' }, scatter: ['x', 'when'], scatterMethod: 'dotproduct', when: '$(inputs.when)' } },
      ),
      t,
    ),
    { i: [true, false] },
    { o: ['t(true)', null] },
  ],
  [
    'a nested workflow scattered',
    plan(
      'w',
      workflow('w', ['i'], { o: 's/o' }, { s: { run: 'n', in: { j: 'i' }, scatter: ['j'], out: ['o'] } }),
      workflow('n', ['j'], { o: 'q/out' }, { q: { run: 't', in: { x: 'j' } } }),
      t,
    ),
    { i: [1, 2] },
    { o: ['t(1)', 't(2)'] },
  ],
  ['a loop that keeps the last iteration', looping('last_iteration'), { i: 0 }, { o: 3 }, upTo(3)],
  ['a loop that keeps all iterations', looping('all_iterations'), { i: 0 }, { o: [1, 2, 3] }, upTo(3)],
  [
    'a loop input without a source keeps its value for its valueFrom',
    plan(
      'w',
      workflow(
        'w',
        ['i'],
        { o: 's/out' },
        {
          s: {
            run: 't',
            in: { x: 'i' },
            when: '$(inputs.x < 3)',
            loop: [{ name: 'x', valueFrom: '$(inputs.x + 1)' }],
            outputMethod: 'all_iterations',
          },
        },
      ),
      t,
    ),
    { i: 0 },
    { o: ['t(1)', 't(2)', 't(3)'] },
    { bind: (_step, { x }) => ({ inputs: { x: Number(x) + 1 }, run: Number(x) < 3 }) },
  ],
  ['a loop that never runs', looping('all_iterations'), { i: 9 }, { o: [] }, upTo(3)],
];

// Jest takes a parameter more than there are values for a `done` callback.
const table = rows.map(([name, of, inputs, expected, world = {}]) => [name, of, inputs, expected, world] as const);

describe('outputs', () => {
  it.each(table)('%s', (_name, of, inputs, expected, world) => {
    const driver = new Driver(of, inputs, world);
    expect(driver.finish()).toEqual(expected);
    expect(driver.ends()).toEqual([{ type: 'EndRun', status: 'succeeded', outputs: expected }]);
  });

  it.each(table)('%s: in whatever order answers come', (_name, of, inputs, expected, world) => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (choices) => {
        const driver = new Driver(of, inputs, world);
        const outputs = driver.finish((open) => (choices.next().value as number) % open);
        expect(outputs).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

const wide = plan(
  'w',
  workflow(
    'w',
    ['i'],
    { o: 'z/out' },
    {
      s: { run: 't', in: { x: 'i' }, scatter: ['x'] },
      m: { run: 't', in: { x: { link: link('i'), valueFrom: '$(self)' } }, scatter: ['x'] },
      z: { run: 'pair', in: { x: 's/out', y: 'm/out' } },
    },
  ),
  t,
  pair,
);

describe('safety', () => {
  it('a replay gives the same state and the same commands, and events a second time change nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 5 }), fc.infiniteStream(fc.nat()), (items, choices) => {
        const driver = new Driver(wide, { i: items });
        driver.finish((open) => (choices.next().value as number) % open);
        const state = initialState(wide);
        const again = driver.events.flatMap((event, i) => {
          const { commands } = decide(state, event, i + 1);
          const repeated = decide(state, event, i + 1);
          expect(repeated.commands).toEqual([]);
          expect(repeated.ignored).toBeDefined();
          return commands;
        });
        expect(again).toEqual(driver.commands);
        expect(state.outputs).toEqual(driver.state.outputs);
      }),
    );
  });

  it('whatever fails or is cancelled when, the run ends exactly once and only with nothing in flight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.infiniteStream(fc.nat()), (items, choices) => {
        const driver = new Driver(wide, { i: Array.from({ length: items }, (_, i) => i) });
        const next = (): number => choices.next().value as number;
        while (driver.open.length > 0) {
          const [command] = driver.open.splice(next() % driver.open.length, 1);
          if (!command) break;
          const fate = next() % 6;
          if (fate === 0) driver.feed({ type: 'CancelAsked', reason: 'enough' });
          const stopping = driver.state.phase !== 'running';
          if (command.type === 'RunTask' && fate === 1) driver.feed(failed(command.taskId, command.attempt, false));
          else if (command.type === 'RunTask' && fate === 2) driver.feed(failed(command.taskId, command.attempt, true));
          else if (command.type === 'RunTask' && fate === 3 && stopping)
            driver.feed({ type: 'TaskCancelled', taskId: command.taskId, attempt: command.attempt });
          else driver.feed(driver.answer(command));
          expect(driver.ends().length).toBe(driver.state.phase === 'ended' ? 1 : 0);
          if (driver.state.phase === 'ended') expect(driver.open).toEqual([]);
        }
        expect(driver.state.phase).toBe('ended');
        expect(driver.state.inFlight).toBe(0);
        expect(driver.state.live.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

const failed = (taskId: string, attempt: number, retryable: boolean): EngineEvent => ({
  type: 'TaskFailed',
  taskId,
  attempt,
  failure: { code: 'TOOL_EXIT', message: 'exited with code 1', exitCode: 1 },
  retryable,
});

describe('failures', () => {
  const two = plan('w', workflow('w', ['i'], { o: 's/out' }, { s: { run: 't', in: { x: 'i' }, scatter: ['x'] } }), t);

  it('a failed task fails the run, stops the others and waits for them', () => {
    const driver = new Driver(two, { i: [1, 2] });
    driver.feed(failed('r-1', 1, false));
    expect(driver.commands.at(-1)).toEqual({ type: 'CancelTasks', tasks: [{ taskId: 'r-2', attempt: 1 }] });
    expect(driver.ends()).toEqual([]);
    driver.feed({ type: 'TaskCancelled', taskId: 'r-2', attempt: 1 });
    expect(driver.ends()).toEqual([
      {
        type: 'EndRun',
        status: 'failed',
        failure: { code: 'TOOL_EXIT', message: 'exited with code 1', exitCode: 1, step: 's', index: '0', taskId: 'r-1' },
      },
    ]);
  });

  it('a retryable failure is tried again with growing delays until the attempts are used up', () => {
    const driver = new Driver(plan('t', t), { x: 1 });
    driver.feed(failed('r-1', 1, true));
    driver.feed(failed('r-1', 2, true));
    driver.feed(failed('r-1', 3, true));
    const runs = driver.commands.filter((command) => command.type === 'RunTask');
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    const [first, second, third] = runs.map(({ delayMs }) => delayMs);
    expect(first).toBe(0);
    expect(third).toBeGreaterThan(second ?? Infinity);
    expect(driver.ends().map(({ status }) => status)).toEqual(['failed']);
  });

  it('an answer for an attempt that was given up is ignored', () => {
    const driver = new Driver(plan('t', t), { x: 1 });
    driver.feed(failed('r-1', 1, true));
    driver.feed({ type: 'TaskSucceeded', taskId: 'r-1', attempt: 1, outputs: { out: 'late' } });
    expect(driver.ignored).toEqual(['TaskSucceeded: task r-1 is queued at attempt 2, the answer is for attempt 1']);
    driver.feed({ type: 'TaskSucceeded', taskId: 'r-1', attempt: 2, outputs: { out: 'right' } });
    expect(driver.state.outputs).toEqual({ out: 'right' });
  });

  it.each<[string, Plan, CwlObject, string]>([
    [
      'pickValue with nothing to pick',
      plan('w', workflow('w', ['a'], { o: link(['a'], 'merge_nested', 'first_non_null') }, {})),
      {},
      "output 'o' of the workflow: pickValue is first_non_null, but every source is null",
    ],
    [
      'pickValue with too much',
      plan('w', workflow('w', ['a', 'b'], { o: link(['a', 'b'], 'merge_nested', 'the_only_non_null') }, {})),
      { a: 1, b: 2 },
      "output 'o' of the workflow: pickValue is the_only_non_null, but 2 sources are not null",
    ],
    ['scatter over a number', two, { i: 3 }, "step 's' scatters over input 'x', which is a number, not an array"],
    [
      'an Operation',
      plan('o', { ...workflow('o', [], {}, {}), class: 'Operation', outputs: [] }),
      {},
      "'o' is an Operation: it says what a step is for, not how to run it",
    ],
  ])('%s', (_name, of, inputs, message) => {
    const driver = new Driver(of, inputs);
    expect(driver.ends().map(({ status, failure }) => [status, failure?.message])).toEqual([['failed', message]]);
  });

  it('nothing is taken before RunAccepted, nor RunAccepted twice', () => {
    const state = initialState(two);
    expect(decide(state, { type: 'CancelAsked', reason: '' }, 1).ignored).toBe('CancelAsked before RunAccepted');
    decide(state, { ...ACCEPTED, inputs: { i: [] } }, 2);
    expect(decide(state, ACCEPTED, 3).ignored).toBe('RunAccepted a second time');
  });
});

it('a chain of ten thousand skipped steps needs no stack', () => {
  const steps = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [`s${i}`, { run: 't', in: { x: i === 0 ? 'i' : `s${i - 1}/out` }, scatter: ['x'] }]),
  );
  const driver = new Driver(plan('w', workflow('w', ['i'], { o: 's9999/out' }, steps), t), { i: [] });
  expect(driver.finish()).toEqual({ o: [] });
});
