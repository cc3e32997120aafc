/** The Redis registry keeps the contract, over a real Redis; and its watchers outlive a restart. */
import { Inbox, aRunner, runnerRegistryContract, useRedis } from '@weft/testing';
import { createRedisRunnerRegistry } from './redis-runner-registry.adapter.js';

describe('redis runner registry', () => {
  const redis = useRedis();

  const open = (): ReturnType<typeof createRedisRunnerRegistry> =>
    createRedisRunnerRegistry({ redis: redis.server.connection, onError: () => undefined });

  runnerRegistryContract(async () => {
    const [one, two] = [open(), open()];
    return {
      one,
      two,
      close: async () => {
        await Promise.all([one.close(), two.close()]);
      },
    };
  });

  it('tells watchers after a reconnect that they may have missed something, and of what comes then', async () => {
    const [one, two] = [open(), open()];
    const changes = new Inbox<string>();
    await two.watch(() => changes.push('changed'));
    await redis.server.restart();
    await changes.atLeast(1);
    await one.register(aRunner(), 600_000);
    await changes.atLeast(2);
    await Promise.all([one.close(), two.close()]);
  });

  it('leaves out what is no record of a runner, and tells of it once', async () => {
    const told: Error[] = [];
    const registry = createRedisRunnerRegistry({ redis: redis.server.connection, onError: (error) => told.push(error) });
    await registry.register(aRunner(), 600_000);
    const [[records = ''] = [], [loads = ''] = [], [seen = '', lapses = ''] = []] = await Promise.all([
      redis.admin.keys('*:runners'),
      redis.admin.keys('*:loads'),
      Promise.all([redis.admin.keys('*:seen'), redis.admin.keys('*:lapses')]).then((found) => found.flat()),
    ]);
    const [, known = ''] = await redis.admin.zrange(lapses, '0', '-1', 'WITHSCORES');
    const hostile = ['', 'no JSON', '[]', 'null', '{}', '{"runnerId":"x"}', 'x'.repeat(1_000_000)];
    for (const [n, record] of hostile.entries()) {
      await redis.admin.hset(records, `hostile-${n}`, record);
      await redis.admin.hset(seen, `hostile-${n}`, '1');
      await redis.admin.zadd(lapses, known, `hostile-${n}`);
    }
    await redis.admin.hset(records, 'bad-load', (await redis.admin.hget(records, 'runner-1')) ?? '');
    await redis.admin.hset(seen, 'bad-load', '1');
    await redis.admin.zadd(lapses, known, 'bad-load');
    await redis.admin.hset(loads, 'bad-load', '{');
    expect((await registry.list()).map(({ runnerId }) => runnerId)).toEqual(['runner-1']);
    await registry.list();
    expect(told.map(({ name }) => name)).toEqual(['ForeignMessageError']);
    await registry.close();
  });

  it('keeps nothing of the lapsed', async () => {
    const registry = open();
    await registry.register(aRunner(), 0);
    await registry.list();
    expect(await redis.admin.keys('*')).toEqual([]);
    await registry.close();
  });
});
