import fc from 'fast-check';
import { greediest, isNearlyFull, isShort, mayPass, nextLookMs, reserveOf, WORTH_BYTES } from './reserve.js';

const MIB = 1024 ** 2;
const space = (freeMiB: number, totalMiB: number) => ({ freeBytes: freeMiB * MIB, totalBytes: totalMiB * MIB });

it.each([
  [space(1, 96), undefined, 9.6],
  [space(1, 1024 ** 2), undefined, 256],
  [space(1, 96), 20, 20],
  [space(1, 96), 0, 0],
])('%#: of a disk so much is kept free', (of, asked, reserve) => {
  expect(reserveOf(of, asked === undefined ? undefined : asked * MIB) / MIB).toBeCloseTo(reserve);
});

it('the one that holds the most is ended, where that helps', () => {
  expect(greediest([])).toBeUndefined();
  expect(greediest([{ key: 'small', heldBytes: WORTH_BYTES - 1 }])).toBeUndefined();
  const all = [3, 9, 7].map((mib) => ({ key: `${mib}`, heldBytes: mib * MIB }));
  expect(greediest(all)?.key).toBe('9');
});

it('what others took may pass, what was its own does not', () => {
  expect(mayPass({ key: 'k', heldBytes: 10 }, 0)).toBe(true);
  expect(mayPass({ key: 'k', heldBytes: 50 * MIB }, 60 * MIB)).toBe(true);
  expect(mayPass({ key: 'k', heldBytes: 50 * MIB }, 40 * MIB)).toBe(false);
});

it('a disk is looked at before what writes 2 GiB/s has filled it, 50 times a second at most', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 42 }), fc.nat({ max: 2 ** 28 }), (freeBytes, reserve) => {
      const ms = nextLookMs({ freeBytes, totalBytes: 2 ** 43 }, reserve);
      expect(ms).toBeGreaterThanOrEqual(20);
      expect(ms).toBeLessThanOrEqual(1_000);
      if (ms > 20) expect(freeBytes - (ms * 2 * 1024 ** 3) / 1000).toBeGreaterThanOrEqual(reserve - 1);
    }),
  );
});

it('short comes before nearly full', () => {
  expect([9, 6, 4].map((free) => [isShort(space(free, 100), 8 * MIB), isNearlyFull(space(free, 100), 8 * MIB)])).toEqual([
    [false, false],
    [true, false],
    [true, false],
  ]);
  expect(isNearlyFull(space(3.9, 100), 8 * MIB)).toBe(true);
});
