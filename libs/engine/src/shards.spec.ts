import type { CwlObject, Plan } from '@weft/plan';
import fc from 'fast-check';
import { decide, type EngineRules, initialState, tasksToCome } from './index.js';
import { Driver, plan, tool, workflow } from './testing.js';

const t = tool('t', ['x']);
const pair = tool('pair', ['x', 'y']);
const scattered = (draft: object = {}): Plan =>
  plan('w', workflow('w', ['i'], { o: 's/out' }, { s: { run: 't', in: { x: 'i' }, scatter: ['x'], ...draft } }), t);
const inner = workflow(
  'inner',
  ['x', 'list'],
  { out: 'b/out' },
  {
    a: { run: 't', in: { x: 'list' }, scatter: ['x'] },
    b: { run: 'pair', in: { x: 'x', y: 'a/out' } },
  },
);
const nested = plan(
  'w',
  workflow('w', ['i'], { o: 's/out' }, { s: { run: 'inner', in: { x: 'i', list: 'i' }, scatter: ['x'] } }),
  inner,
  t,
  pair,
);

const plans: [string, Plan][] = [
  ['a scatter', scattered()],
  [
    'a scatter with bindings',
    scattered({
      in: { x: { link: { sources: [{ step: null, port: 'i' }], list: false, linkMerge: 'merge_nested' }, valueFrom: '$(self)' } },
    }),
  ],
  ['a scatter of scatters', nested],
];

const ahead = (shardsAhead: number): Partial<EngineRules> => ({ shardsAhead, refillAt: Math.floor(shardsAhead / 2) });
const numbers = (count: number): CwlObject => ({ i: Array.from({ length: count }, (_, i) => i) });
const waitingIn = ({ state }: Driver): number => state.tally.queued + state.binding;

describe.each(plans)('%s', (_name, of) => {
  it('gives the same however many shards are begun ahead, in whatever order answers come; a replay gives the same commands', () => {
    fc.assert(
      fc.property(fc.nat({ max: 7 }), fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat()), (items, shardsAhead, choices) => {
        const driver = new Driver(of, numbers(items), {}, {}, ahead(shardsAhead));
        const outputs = driver.finish((open) => (choices.next().value as number) % open);
        expect(outputs).toEqual(new Driver(of, numbers(items)).finish());
        const state = initialState(of);
        expect(driver.events.flatMap((event, i) => decide(state, event, i + 1).commands)).toEqual(driver.commands);
      }),
      { numRuns: 50 },
    );
  });

  it('goes on where it stopped when it is retried', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.nat()),
        (items, shardsAhead, choices) => {
          const next = (below: number): number => (choices.next().value as number) % below;
          const driver = new Driver(of, numbers(items), {}, {}, ahead(shardsAhead));
          const fails = next(3) === 0;
          for (let left = next(6); left > 0 && driver.open.length > 0; left--)
            driver.feed(driver.answer(driver.open.splice(next(driver.open.length), 1)[0]!));
          const [victim] = driver.open;
          const failure = { code: 'TOOL_EXIT', message: 'exited with code 1' };
          if (fails && victim?.type === 'RunTask')
            driver.feed({ type: 'TaskFailed', taskId: victim.taskId, attempt: 1, failure, retryable: false });
          else driver.feed({ type: 'CancelAsked', reason: 'enough' });
          for (const command of driver.open.splice(0)) {
            if (command.type === 'RunTask') driver.feed({ type: 'TaskCancelled', taskId: command.taskId, attempt: command.attempt });
            else driver.feed(driver.answer(command));
          }
          expect(driver.state.phase).toBe('ended');
          expect(tasksToCome(driver.state)).toBe(0);
          driver.feed({ type: 'RunRetried' });
          expect(driver.finish((open) => next(open)) ?? driver.state.outputs).toEqual(new Driver(of, numbers(items)).finish());
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a scatter of 100,000', () => {
  const COUNT = 100_000;

  it('is begun a thousand at a time: nothing is kept for what is to come, and little of what is done', () => {
    const driver = new Driver(scattered(), numbers(COUNT), { run: (_process, { x }) => ({ out: x ?? null }) });
    let most = 0;
    let [fewestKnown, mostKnown] = [COUNT, COUNT];
    for (let at = 0; at < driver.open.length; at++) {
      const command = driver.open[at];
      if (!command) break;
      most = Math.max(most, waitingIn(driver));
      const known = driver.state.tasks.size + tasksToCome(driver.state);
      [fewestKnown, mostKnown] = [Math.min(fewestKnown, known), Math.max(mostKnown, known)];
      driver.feed(driver.answer(command));
    }
    expect(driver.state.outputs?.['o']).toHaveLength(COUNT);
    expect([most, fewestKnown, mostKnown]).toEqual([1024, COUNT, COUNT]);
    const kept = [...driver.state.tasks.values()].filter(({ pending }) => pending !== undefined);
    expect(kept).toEqual([]);
  });

  it('opens the scopes inside it one after the other', () => {
    const driver = new Driver(nested, numbers(200), {}, {}, ahead(8));
    let most = 0;
    while (driver.open.length > 0) {
      most = Math.max(most, driver.state.steps.size);
      const [command] = driver.open.splice(0, 1);
      if (command) driver.feed(driver.answer(command));
    }
    expect(driver.state.outputs?.['o']).toHaveLength(200);
    expect(most).toBeLessThan(40);
  });

  it('that is cancelled has only what was begun to answer for', () => {
    const driver = new Driver(scattered(), numbers(COUNT));
    driver.feed({ type: 'CancelAsked', reason: 'enough' });
    const cancel = driver.commands.at(-1);
    expect(cancel?.type === 'CancelTasks' && cancel.tasks.length).toBe(1024);
  });
});
