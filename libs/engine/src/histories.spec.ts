/** What must hold of every history of every workflow, whatever happens to its tasks and whoever stops or retries it. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { decide, initialState, liveLocations, type RunState } from './index.js';
import { Choices, type History, randomHistory } from './random-histories.js';

function ofEvery(holds: (history: History, by: Choices) => void, numRuns = 400): void {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
      const by = new Choices(() => numbers.next().value as number);
      holds(randomHistory(by), by);
    }),
    { numRuns },
  );
}

/** Member by member; both are copied, as a copy in a test is of another realm. */
const isSame = (one: RunState, other: RunState): boolean => isDeepStrictEqual(structuredClone(one), structuredClone(other));

it('the histories are of many kinds', () => {
  const seen = new Set<string>();
  ofEvery(({ events, commands, state }) => {
    for (const { type } of events) seen.add(type);
    for (const { type } of commands.flat()) seen.add(type);
    seen.add(state.phase).add(state.final ?? '');
    if (state.retriedAtMs !== undefined && state.final === 'succeeded') seen.add('succeeded after a retry');
    for (const task of state.tasks.values()) seen.add(task.status);
  });
  const events = ['BindingsFailed', 'TaskPreparing', 'TaskCancelled', 'CancelAsked', 'RunEnded', 'RunRetried'];
  const commands = ['EvaluateBindings', 'RunTask', 'EvaluateExpressionTool', 'CancelTasks', 'EndRun'];
  const ends = ['succeeded', 'failed', 'cancelled', 'skipped', 'succeeded after a retry'];
  expect([...events, ...commands, ...ends].filter((one) => !seen.has(one))).toEqual([]);
});

it('a replay gives the same commands and the same state, all of it', () => {
  ofEvery(({ plan, events, commands, state }) => {
    const again = initialState(plan);
    expect(events.map((event, at) => decide(again, event, at + 1).commands)).toEqual(commands);
    expect(isSame(again, state)).toBe(true);
  });
});

it('the state is data: a copy of it goes on as it would have', () => {
  ofEvery(({ plan, events, commands, state }, by) => {
    let again = initialState(plan);
    const stops = new Set([by.int(events.length), by.int(events.length)]);
    const given = events.map((event, at) => {
      if (stops.has(at)) again = structuredClone(again);
      return decide(again, event, at + 1).commands;
    });
    expect(given).toEqual(commands);
    expect(isSame(again, state)).toBe(true);
  });
});

it('what is ignored changes nothing', () => {
  ofEvery(({ plan, events }) => {
    const state = initialState(plan);
    for (const [at, event] of events.entries()) {
      decide(state, event, at + 1);
      const before = structuredClone(state);
      const { ignored, commands } = decide(state, event, at + 1);
      // Taken a second time is what is told of an attempt that goes on, and the end.
      if (ignored === undefined) return expect(event.type).toMatch(/TaskStarted|TaskPreparing|RunEnded/);
      expect(commands).toEqual([]);
      expect(isSame(state, before)).toBe(true);
    }
  }, 150);
});

it('a run ends once for each time it was begun, with nothing in flight, and what it may lose is not among its outputs', () => {
  ofEvery(({ taken, commands, state }) => {
    const begun = 1 + taken.filter(({ type }) => type === 'RunRetried').length;
    const ends = commands.flat().filter(({ type }) => type === 'EndRun').length;
    expect(ends).toBeLessThanOrEqual(begun);
    if (state.phase !== 'ended') return;
    expect([ends, state.inFlight, state.live.size]).toEqual([begun, 0, 0]);
    for (const location of liveLocations(state).locations) expect(location).toMatch(/^file:/);
  });
});
