/** A seed says everything: what is submitted and what is disturbed. */
import fc from 'fast-check';
import { randomStream } from './random.js';
import { type Act, describeAct, disturbances, PROJECTS, redisKills, SERVICES, SHORT, type SlowDisk, submissions } from './schedule.js';

const first = <T>(count: number, items: Iterator<T>): T[] => Array.from({ length: count }, () => items.next().value as T);
const KINDS = { wide: 3, deep: 1 };
const ACTS = ['kill', 'terminate', 'pause', 'cut-off', 'drain', 'kill-container', 'remove-container', 'pause-container'];

it('gives the same schedule for the same seed, whatever else is drawn', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [once, again] = [0, 1].map(() => [first(40, disturbances(seed, 30)), first(40, submissions(seed, KINDS, 3))]);
      expect(once).toEqual(again);
    }),
    { numRuns: 20 },
  );
});

it('gives another schedule for another seed', () => {
  expect(first(20, disturbances(1, 30))).not.toEqual(first(20, disturbances(2, 30)));
});

it('comes upon every kind of disturbance and every service', () => {
  const acts = first(600, disturbances(7, 30)).map(({ act }) => act);
  expect(new Set(acts.map(({ kind }) => kind))).toEqual(new Set(ACTS));
  const alone = acts.flatMap((act) => ('services' in act && act.services.length === 1 ? act.services : []));
  expect(new Set(alone)).toEqual(new Set(SERVICES));
  expect(acts.some((act) => 'services' in act && act.services.length === SERVICES.length)).toBe(true);
  const words = new Set(acts.map((act) => describeAct(act).split(' ')[0]));
  expect(words).toEqual(new Set(['kill', 'terminate', 'pause', 'cut-off', 'drain', 'remove']));
});

it('kills Redis as often as asked for, on a slow disk, and does nothing else', () => {
  const acts = [...redisKills(3, 25, 5)].map(({ act }) => describeAct(act).split(' for ')[0]);
  expect(acts).toEqual([expect.stringContaining('slow'), ...Array.from({ length: 4 }, () => expect.stringMatching(/^kill redis/))]);
  expect([...redisKills(3, 25, 5)]).toEqual([...redisKills(3, 25, 5)]);
});

it('has slow disks as often as asked for, and the same other disturbances with them as without', () => {
  const acts = (slowDisk: SlowDisk): Act[] => first(500, disturbances(7, 30, slowDisk)).map(({ act }) => act);
  const [never, sometimes, mostly] = [acts('never'), acts('sometimes'), acts('mostly')];
  const slow = (some: Act[]): number => some.filter(({ kind }) => kind === 'slow-disk').length;
  expect(slow(never)).toBe(0);
  expect(slow(sometimes)).toBeGreaterThan(0);
  expect(slow(mostly)).toBeGreaterThan(slow(sometimes) * 4);
  for (const some of [sometimes, mostly])
    expect(some.filter(({ kind }) => kind !== 'slow-disk')).toEqual(never.filter((_act, n) => some[n]?.kind !== 'slow-disk'));
});

it('submits in every way', () => {
  const drawn = first(400, submissions(7, KINDS, 3));
  expect(new Set(drawn.map(({ again }) => again?.file))).toEqual(new Set([undefined, 'stays', 'deleted', 'replaced']));
  expect(new Set(drawn.map(({ maxParallelTasks }) => maxParallelTasks))).toEqual(new Set([0, 1, 2, 3]));
  expect(new Set(drawn.map(({ project }) => project))).toEqual(new Set(PROJECTS));
  expect(drawn.some(({ cancelAfter, resume }) => cancelAfter !== undefined && resume)).toBe(true);
  expect(drawn.some(({ priority }) => priority > 0) && drawn.some(({ priority }) => priority < 0)).toBe(true);
});

it('has a short form that comes upon every kind of disturbance, and on each service', () => {
  const acts = first(20, disturbances(SHORT.seed, SHORT.pace)).map(({ act }) => act);
  expect(new Set(acts.map(({ kind }) => kind))).toEqual(new Set(ACTS));
  expect(new Set(acts.flatMap((act) => ('services' in act ? act.services : [])))).toEqual(new Set(SERVICES));
});

it('keeps to the pace', () => {
  const gaps = first(2000, disturbances(3, 30)).map(({ afterEntries }) => afterEntries);
  expect(Math.min(...gaps)).toBe(1);
  expect(Math.max(...gaps)).toBe(60);
});

it('draws by weight, within bounds', () => {
  const random = randomStream(11, 'test');
  const drawn = Array.from({ length: 4000 }, () => random.weighted({ often: 9, seldom: 1, never: 0 }));
  const count = (key: string): number => drawn.filter((found) => found === key).length;
  expect(count('never')).toBe(0);
  expect(count('often') / count('seldom')).toBeGreaterThan(6);
  expect(count('often') / count('seldom')).toBeLessThan(13);
});
