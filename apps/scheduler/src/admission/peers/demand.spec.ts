import fc from 'fast-check';
import { type Demand, partsOfProjects, partOfWindow } from './demand.js';

const demand = (priority: number, runs: Record<string, number>): Demand => ({ priority, runs: new Map(Object.entries(runs)) });
const equal = (): number => 1;

it.each<[string, Demand, Demand[], number]>([
  ['alone, all', demand(0, { p: 1 }), [], 1],
  ['others with less urgent tasks count for nothing', demand(1, { p: 1 }), [demand(0, { p: 9 })], 1],
  ['with less urgent tasks, none', demand(0, { p: 9 }), [demand(1, { q: 1 })], 0],
  ['a project each, halves', demand(0, { p: 7 }), [demand(0, { q: 1 })], 1 / 2],
  ['one project, by runs', demand(0, { p: 1 }), [demand(0, { p: 3 })], 1 / 4],
  ['a part of one, and one more', demand(0, { p: 1, q: 1 }), [demand(0, { p: 1 })], 3 / 4],
])('the part of a window: %s', (_what, mine, others, part) => {
  expect(partOfWindow(mine, others, equal)).toBe(part);
});

it('weighs projects', () => {
  const weightOf = (project: string): number => (project === 'p' ? 3 : 1);
  expect(partOfWindow(demand(0, { p: 1 }), [demand(0, { q: 5 })], weightOf)).toBe(3 / 4);
});

it('a project has its share over all replicas: its parts here and there', () => {
  const mine = demand(0, { p: 1, q: 1 });
  expect(partsOfProjects(mine, [demand(0, { p: 3 }), demand(-1, { q: 5 })])).toEqual(
    new Map([
      ['p', 1 / 4],
      ['q', 1],
    ]),
  );
});

const someDemand = fc
  .tuple(
    fc.integer({ min: -1, max: 1 }),
    fc.dictionary(fc.constantFrom('p', 'q', '__proto__', ''), fc.integer({ min: 1, max: 9 }), { minKeys: 1, noNullPrototype: false }),
  )
  .map(([priority, runs]): Demand => ({ priority, runs: new Map(Object.entries(runs)) }));

it('the parts of those with the most urgent tasks make one window, whoever they are', () => {
  fc.assert(
    fc.property(fc.array(someDemand, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (all, weight) => {
      const weightOf = (project: string): number => (project === 'p' ? weight : 1);
      const top = Math.max(...all.map(({ priority }) => priority));
      const parts = all.map((mine) =>
        partOfWindow(
          mine,
          all.filter((other) => other !== mine),
          weightOf,
        ),
      );
      expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1);
      expect(parts.map((part) => part > 0)).toEqual(all.map(({ priority }) => priority === top));
    }),
  );
});
