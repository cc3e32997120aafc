/** The bounded distance agrees with the plain one wherever it is within the bound. */
import fc from 'fast-check';
import { distance, nearestName } from './nearest-name.js';

/** Straight from the definition: optimal string alignment. */
function plain(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number): number => table[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity;
      const cost = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1), swapped);
      (table[i] as number[])[j] = cost;
    }
  }
  return at(a.length, b.length);
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 9 });

test('within the bound it is the distance, beyond it is one more than the bound', () => {
  fc.assert(
    fc.property(word, word, fc.nat(5), (a, b, bound) => expect(distance(a, b, bound)).toBe(Math.min(plain(a, b), bound + 1))),
    { numRuns: 3000 },
  );
});

test.each([
  ['positon', ['position', 'prefix'], 'position'],
  ['BASECOMMAND', ['baseCommand'], 'baseCommand'],
  ['ecoh', ['echo', 'ech'], 'echo'],
  ['colour', ['position'], undefined],
  ['ab', ['cd'], undefined],
  ['same', ['same'], undefined],
])('%s among %j', (name, candidates, nearest) => expect(nearestName(name, candidates)).toBe(nearest));
