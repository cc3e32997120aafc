/** The estimate is of the order of what V8 takes. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { heapBytes } from './heap-size.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What the heap has more while it is held. */
function taken(make: () => unknown): { bytes: number; estimate: number } {
  collect();
  const before = process.memoryUsage().heapUsed;
  const held = make();
  collect();
  return { bytes: process.memoryUsage().heapUsed - before, estimate: heapBytes(held) };
}

const file = (n: number): object => ({
  class: 'File',
  ...{ location: `file:///data/runs/r-1/t-${n}/out.txt`, basename: `out-${n}.txt`, size: n, checksum: `sha1$${'a'.repeat(34)}${n}` },
});
const COUNT = 100_000;
const parsed = (item: (n: number) => unknown): unknown => JSON.parse(JSON.stringify(Array.from({ length: COUNT }, (_, n) => item(n))));

it.each<[string, (n: number) => unknown]>([
  ['files', file],
  ['empty objects', () => ({})],
  ['empty arrays', () => []],
  ['short texts', (n) => `text ${n}`],
  ['objects of one member', (n) => ({ n })],
  ['fractions', (n) => n + 0.5],
])('of %s', (_what, item) => {
  const { bytes, estimate } = taken(() => parsed(item));
  expect(estimate).toBeGreaterThan(bytes * 0.7);
  expect(estimate).toBeLessThan(bytes * 4);
});

it.each([
  ['a text', 'x'.repeat(5_000_000), 5_000_000],
  ['one of other scripts', '語'.repeat(5_000_000), 10_000_000],
])('of %s', (_what, text, bytes) => {
  expect(Math.abs(heapBytes({ text }) - bytes)).toBeLessThan(1_000);
});

it('however deep', () => {
  let deep: unknown = [];
  for (let level = 0; level < 200_000; level += 1) deep = [deep];
  expect(heapBytes(deep)).toBeGreaterThan(200_000 * 32);
});

it('of what has no size of its own, none', () => {
  expect([null, undefined, true, 7].map(heapBytes)).toEqual([0, 0, 0, 0]);
});
