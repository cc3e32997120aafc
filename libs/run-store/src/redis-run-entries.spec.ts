/** Pages of a log: few entries where they are long, many where they are not, and each once. */
import type { Redis } from 'ioredis';
import { UnreadableRunError } from './errors.js';
import { RedisRunEntries } from './redis-run-entries.js';

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
  const entries = new RedisRunEntries(redis, { log: () => 'log' }, { text: async () => undefined });
  for await (const page of entries.pages('r-1', after, until)) for (const { sequence } of page) found.push(sequence);
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

describe('where the inputs lie beside the log', () => {
  const first = ['1-0', ['t', '1', 'e', '{"type":"RunAccepted"}', 'o', 'inputs']];
  const second = ['2-0', ['t', '2', 'e', '{"type":"Noted"}']];

  async function read(text: () => Promise<string | undefined>, left = false): Promise<unknown[]> {
    const redis = { xrange: async () => [first, second], exists: async () => (left ? 0 : 1) } as unknown as Redis;
    const found: unknown[] = [];
    for await (const page of new RedisRunEntries(redis, { log: () => 'log' }, { text }).pages('r-1', 0))
      for (const { event } of page) found.push(event);
    return found;
  }

  it('the event has them', async () => {
    expect(await read(async () => '{"a":[1]}')).toEqual([{ type: 'RunAccepted', inputs: { a: [1] } }, { type: 'Noted' }]);
  });

  it.each([
    ['are gone', async () => undefined],
    [
      'go while they are read',
      async () => {
        throw new UnreadableRunError('r-1', 'removed meanwhile');
      },
    ],
  ])('and %s, a run that is there cannot be read, and one that has left has no entries here', async (_what, text) => {
    await expect(read(text)).rejects.toMatchObject({ message: expect.stringContaining('inputs are not beside') });
    expect(await read(text, true)).toEqual([]);
  });

  it('and are no JSON, the run cannot be read', async () => {
    await expect(read(async () => '{"a":')).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('no JSON'),
    });
  });

  it('and Redis cannot be asked, it says so', async () => {
    const away = async (): Promise<string> => {
      throw new Error('away');
    };
    await expect(read(away, true)).rejects.toThrow('away');
  });
});
