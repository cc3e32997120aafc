/** A task's inputs that are the run's own are told by the names they have there, and nothing else is. */
import type { CwlObject, Plan, WorkflowStep } from '@weft/plan';
import { ownInput } from './own-inputs.js';
import { runInputs } from './process-inputs.js';
import { Driver, plan, tool, workflow } from './testing.js';

const LONG = 'x'.repeat(100);
const inputs = { a: LONG, b: 'other', list: [LONG, 'second'] };

/** By name, of each task that is under way. */
function owned(of: Plan, given: CwlObject = inputs, steps = 0): Record<string, string | undefined>[] {
  const driver = new Driver(of, given);
  for (let n = 0; n < steps; n += 1) driver.feed(driver.answer(driver.open.shift() as (typeof driver.open)[number]));
  return driver.open.flatMap((command) =>
    command.type === 'RunTask'
      ? [Object.fromEntries(Object.keys(command.inputs).map((name) => [name, ownInput(driver.state, command.taskId, name)]))]
      : [],
  );
}

function step(
  from: Record<string, string | string[] | Partial<WorkflowStep['in'][number]>>,
  more: Partial<Omit<WorkflowStep, 'in'>> = {},
): Plan {
  const names = Object.keys(from);
  return plan('main', workflow('main', ['a', 'b', 'list'], {}, { s: { run: 't', in: from, ...more } }), tool('t', names));
}

it.each<[string, Plan, Record<string, string | undefined>[]]>([
  ['of a run of one tool, by their own names', plan('t', tool('t', ['a', 'b'])), [{ a: 'a', b: 'b' }]],
  ['of a step, by those of the workflow', step({ x: 'a', y: 'b' }), [{ x: 'a', y: 'b' }]],
  ['of an input without a source, none', step({ x: { default: LONG }, y: 'b' }), [{ x: undefined, y: 'b' }]],
  ['of one of several sources, none', step({ x: ['a', 'b'] }), [{ x: undefined }]],
  ['of a list of one, none', step({ x: ['a'] }), [{ x: undefined }]],
  [
    'of the shards of a scatter, those that all have',
    step({ x: 'a', y: 'list' }, { scatter: ['y'] }),
    [
      { x: 'a', y: undefined },
      { x: 'a', y: undefined },
    ],
  ],
  [
    'of a source that the run does not have, none',
    step({ x: { link: { sources: [{ step: null, port: 'no' }], list: false, linkMerge: 'merge_nested' } } }),
    [{ x: undefined }],
  ],
])('%s', (_what, of, expected) => {
  expect(owned(of)).toEqual(expected);
});

it('of a workflow in a workflow, by those of the outer one', () => {
  const inner = workflow('inner', ['p', 'q'], {}, { t: { run: 't', in: { x: 'p', y: 'q' } } });
  const outer = workflow('main', ['a', 'b'], {}, { i: { run: 'inner', in: { p: 'a', q: { default: 'own' } } } });
  expect(owned(plan('main', outer, inner, tool('t', ['x', 'y'])))).toEqual([{ x: 'a', y: undefined }]);
});

it('of what another step has made, none, also where it is the same name', () => {
  const of = workflow('main', ['a'], {}, { one: { run: 't', in: { a: 'a' } }, two: { run: 't', in: { a: 'one/out' } } });
  expect(owned(plan('main', of, tool('t', ['a'])), { a: LONG }, 1)).toEqual([{ a: undefined }]);
});

it('where an expression makes another value of it, none; where it leaves it, it is known', () => {
  const of = step({ x: { link: { sources: [{ step: null, port: 'a' }], list: false, linkMerge: 'merge_nested' }, valueFrom: '$(1)' } });
  const bound = (value: string): unknown => {
    const driver = new Driver(of, inputs, { bind: () => ({ inputs: { x: value }, run: true }) });
    driver.feed(driver.answer(driver.open.shift() as (typeof driver.open)[number]));
    return driver.open.flatMap((command) => (command.type === 'RunTask' ? [ownInput(driver.state, command.taskId, 'x')] : []));
  };
  expect([bound('made'), bound(LONG)]).toEqual([[undefined], ['a']]);
});

it('of a task that nobody waits for, none', () => {
  const driver = new Driver(plan('t', tool('t', ['a'])), inputs);
  expect([ownInput(driver.state, 'r-1', 'a'), ownInput(driver.state, 'r-2', 'a')]).toEqual(['a', undefined]);
  driver.finish();
  expect(ownInput(driver.state, 'r-1', 'a')).toBeUndefined();
});

it('names what the run’s inputs give by that name, defaults of the root process included', () => {
  const root = tool('t', ['a', 'b']);
  root.inputs = root.inputs.map((input) => ({ ...input, default: `default of ${input.name}` }));
  expect(runInputs(plan('t', root), { a: LONG, more: 'undeclared' })).toEqual({ a: LONG, b: 'default of b' });
  expect(() => runInputs({ ...plan('t'), root: 'gone' }, {})).toThrow("no process 'gone'");
});
