/** The Redis result store keeps the contract, over a real Redis; and what only Redis can show. */
import { aStoredResult, resultStoreContract, useRedis } from '@weft/testing';
import { createKeys } from './keys.js';
import { createRedisResultStore } from './redis-result-store.adapter.js';

const DAY_MS = 86_400_000;
const KEY = 'a'.repeat(64);
const keys = createKeys('weft:');

describe('redis result store', () => {
  const redis = useRedis();

  resultStoreContract(async () => {
    const [one, two] = [0, 1].map(() => createRedisResultStore({ redis: redis.server.connection, ttlMs: DAY_MS }));
    return {
      one: one!,
      two: two!,
      lapse: async () => {
        const claims = (await redis.admin.keys('*:claim:*')) as string[];
        if (claims.length > 0) await redis.admin.del(...claims);
      },
      close: async () => {
        await Promise.all([one!.close(), two!.close()]);
      },
    };
  });

  describe('alone', () => {
    let store: ReturnType<typeof createRedisResultStore>;
    beforeEach(() => {
      store = createRedisResultStore({ redis: redis.server.connection, ttlMs: DAY_MS });
    });
    afterEach(async () => {
      await store.close();
    });

    it('keeps results for their time, a use begins it anew, a claim is short', async () => {
      await store.put(KEY, aStoredResult(), 'x');
      await redis.admin.pexpire(keys.result(KEY), 1_000_000);
      await store.look(KEY);
      const left = await redis.admin.pttl(keys.result(KEY));
      expect(left).toBeGreaterThan(DAY_MS / 2);
      await store.move(KEY, aStoredResult().folder, 'cache/x/');
      expect(await redis.admin.pttl(keys.result(KEY))).toBeGreaterThan(DAY_MS / 2);
      expect(await redis.admin.pttl(keys.run('r-1'))).toBeGreaterThan(DAY_MS / 2);
      const other = 'b'.repeat(64);
      await store.look(other, 'x');
      const claim = await redis.admin.pttl(keys.claim(other));
      expect(claim).toBeGreaterThan(0);
      expect(claim).toBeLessThanOrEqual(30_000);
    });

    it('has everything of one key in one slot', async () => {
      await store.put(KEY, aStoredResult(), 'x');
      await store.move(KEY, aStoredResult().folder, 'cache/x/');
      await store.look('a'.repeat(63) + 'b', 'x');
      const tags = ((await redis.admin.keys('*')) as string[])
        .filter((key) => !key.includes('cache-run'))
        .map((key) => /\{.*\}/.exec(key)?.[0]);
      expect(tags).toEqual(tags.map(() => '{cache-a}'));
      expect(tags.length).toBe(4);
    });
  });
});
