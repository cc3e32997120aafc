/** Which runs `weft prune` takes, and that it takes no others. */
import * as fc from 'fast-check';
import { chooseRuns, type FinishedRun } from './choose-runs.js';
import { humanSize, parseAge, parseSize } from './units.js';

const NOW = 1_000_000;
const runs = fc.uniqueArray(
  fc.record({
    runId: fc.integer({ min: 0, max: 200 }).map((n) => `r-${n}`),
    state: fc.constantFrom('succeeded', 'failed', 'cancelled'),
    finishedAtMs: fc.integer({ min: 0, max: NOW }),
    bytes: fc.integer({ min: 0, max: 100 }),
  }),
  { selector: ({ runId }) => runId, maxLength: 40 },
);
const conditions = fc.record(
  {
    olderThanMs: fc.integer({ min: 0, max: NOW }),
    keep: fc.integer({ min: 0, max: 10 }),
    largerThan: fc.integer({ min: 0, max: 100 }),
    states: fc.subarray(['succeeded', 'failed', 'cancelled']),
    size: fc.integer({ min: 0, max: 2000 }),
  },
  { requiredKeys: [] },
);

it('takes what meets all conditions, the oldest first, and no more than is needed', () => {
  fc.assert(
    fc.property(runs, conditions, (all, wanted) => {
      const gone = chooseRuns(all, wanted, NOW);
      const ids = new Set(gone.map(({ runId }) => runId));
      expect(ids.size).toBe(gone.length);
      const meets = (one: FinishedRun): boolean =>
        (wanted.states === undefined || wanted.states.includes(one.state)) &&
        (wanted.olderThanMs === undefined || one.finishedAtMs <= NOW - wanted.olderThanMs) &&
        (wanted.largerThan === undefined || one.bytes > wanted.largerThan);
      expect(gone.every(meets)).toBe(true);
      const left = all.filter((one) => meets(one) && !ids.has(one.runId));
      for (const one of left) for (const other of gone) expect(other.finishedAtMs).toBeLessThanOrEqual(one.finishedAtMs);
      expect(left.length).toBeGreaterThanOrEqual(Math.min(wanted.keep ?? 0, all.filter(meets).length));
      const sum = (some: readonly FinishedRun[]): number => some.reduce((bytes, one) => bytes + one.bytes, 0);
      const stays = sum(all) - sum(gone);
      if (wanted.size === undefined) return expect(left.length).toBe(Math.min(wanted.keep ?? 0, all.filter(meets).length));
      // Small enough, or nothing more may go; and without the last one it was not.
      if (stays > wanted.size) expect(left.length).toBe(Math.min(wanted.keep ?? 0, all.filter(meets).length));
      const last = gone.at(-1);
      if (last) expect(stays + last.bytes).toBeGreaterThan(wanted.size);
    }),
  );
});

it.each([
  ['10G', 10 * 1024 ** 3],
  ['500m', 500 * 1024 ** 2],
  ['1.5 KiB', 1536],
  ['12', 12],
  ['7TB', 7 * 1024 ** 4],
])('reads the size %s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

it.each([
  ['30d', 30 * 86_400_000],
  ['12h', 43_200_000],
  ['2w', 14 * 86_400_000],
  ['90s', 90_000],
])('reads the age %s', (text, ms) => expect(parseAge(text)).toBe(ms));

it.each(['', 'big', '-1', '10X', '1e3', '10 G G'])('takes %p for neither', (text) => {
  expect(() => parseSize(text)).toThrow('a size such as');
  expect(() => parseAge(text)).toThrow('an age such as');
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [150 * 1024 ** 2, '150 MiB'],
  [3.25 * 1024 ** 4, '3.3 TiB'],
])('shows %p as %s', (bytes, text) => expect(humanSize(bytes)).toBe(text));
