/** A real Redis whose disk is away: what it answers is "not now", and it takes everything when it can write again. */
import { rmSync } from 'node:fs';
import { startRedis } from '@weft/testing';
import { createRedis, toServiceError } from './index.js';

it('a Redis that cannot write makes callers come again, also in scripts and transactions', async () => {
  const server = await startRedis();
  const redis = createRedis(server.url);
  try {
    await redis.config('SET', 'save', '3600 1000000');
    const [, directory = ''] = (await redis.config('GET', 'dir')) as string[];
    rmSync(directory, { recursive: true });
    // A child of it fails, which it learns when that has ended.
    await redis.bgsave();
    const refused = async (write: () => Promise<unknown>): Promise<unknown> => {
      for (let tries = 0; tries < 20_000; tries += 1) {
        const answer = await write().catch((error: unknown) => toServiceError(error));
        if (answer instanceof Error) return answer;
      }
      return 'it takes everything';
    };
    const notNow = {
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^Redis takes nothing at present \((MISCONF|EXECABORT)\); try again\. It says: /),
    };
    expect(await refused(() => redis.set('k', 'v'))).toMatchObject(notNow);
    expect(await refused(() => redis.eval("return redis.call('set', KEYS[1], 'v')", 1, 'k'))).toMatchObject(notNow);
    expect(await refused(() => redis.multi().set('k', 'v').exec())).toMatchObject(notNow);
    await redis.config('SET', 'stop-writes-on-bgsave-error', 'no');
    expect(await redis.set('k', 'w')).toBe('OK');
  } finally {
    // With it Redis would save before it ends, and not end where it cannot.
    await redis.config('SET', 'save', '');
    redis.disconnect();
    await server.stop();
  }
});

it('what is wrong with a command is our fault', async () => {
  const server = await startRedis();
  const redis = createRedis(server.url);
  try {
    await redis.set('k', 'v');
    const error = await redis.lpush('k', 'x').catch((thrown: unknown) => toServiceError(thrown));
    expect(error).toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(/^WRONGTYPE/) });
  } finally {
    redis.disconnect();
    await server.stop();
  }
});
