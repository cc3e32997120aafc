/** Pages of a log: few entries where they are long, many where they are not, and each once. */
import type { Redis } from 'ioredis';
import { logPages } from './redis-log-pages.js';

const MIB = 1024 * 1024;

/** A stream of entries of these lengths, and how many were asked for each time. */
function stream(lengths: number[]): { redis: Redis; asked: number[]; most: () => number } {
  const asked: number[] = [];
  let most = 0;
  const xrange = async (_key: string, from: string, to: string, _word: string, count: number): Promise<unknown[]> => {
    asked.push(count);
    const first = Number.parseInt(from.slice(1), 10);
    const found = lengths.slice(first, Math.min(first + count, to === '+' ? Infinity : Number.parseInt(to, 10)));
    most = Math.max(
      most,
      found.reduce((sum, length) => sum + length, 0),
    );
    return found.map((length, at) => [`${first + at + 1}-0`, ['t', '1', 'e', JSON.stringify({ type: 'x'.repeat(length) })]]);
  };
  return { redis: { xrange } as unknown as Redis, asked, most: () => most };
}

async function sequences(redis: Redis, after = 0, until?: number): Promise<number[]> {
  const found: number[] = [];
  for await (const page of logPages(redis, 'log', after, until)) for (const { sequence } of page) found.push(sequence);
  return found;
}

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);

it('asks once for a short log', async () => {
  const { redis, asked } = stream([10, 10, 10]);
  expect(await sequences(redis)).toEqual([1, 2, 3]);
  expect(asked).toHaveLength(1);
});

it('takes many small entries at a time', async () => {
  const { redis, asked } = stream(upTo(20_000).map(() => 100));
  expect(await sequences(redis)).toEqual(upTo(20_000));
  expect(asked.length).toBeLessThan(30);
});

it('takes few long ones at a time', async () => {
  const { redis, most } = stream(upTo(60).map(() => MIB));
  expect(await sequences(redis)).toEqual(upTo(60));
  expect(most()).toBeLessThanOrEqual(17 * MIB);
});

it('goes from short ones to long ones and back', async () => {
  const lengths = [...upTo(100).map(() => 10), ...upTo(20).map(() => 3 * MIB), ...upTo(300).map(() => 10)];
  expect(await sequences(stream(lengths).redis)).toEqual(upTo(420));
  expect(await sequences(stream(lengths).redis, 110, 115)).toEqual(upTo(115, 111));
  expect(await sequences(stream(lengths).redis, 420)).toEqual([]);
});
