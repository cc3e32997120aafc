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

  it('keeps nothing of the lapsed', async () => {
    const registry = open();
    await registry.register(aRunner(), 0);
    await registry.list();
    expect(await redis.admin.keys('*')).toEqual([]);
    await registry.close();
  });
});
