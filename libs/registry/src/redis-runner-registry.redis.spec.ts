/** The Redis registry keeps the contract, over a real Redis; and its watchers outlive a restart. */
import { Inbox, type TestRedis, aRunner, runnerRegistryContract, startRedis } from '@weft/testing';
import { Redis } from 'ioredis';
import { createRedisRunnerRegistry } from './redis-runner-registry.adapter.js';

describe('redis runner registry', () => {
  let server: TestRedis;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis({ ...server.connection, maxRetriesPerRequest: null });
    admin.on('error', () => undefined);
  });
  afterAll(async () => {
    await admin.quit();
    await server.stop();
  });

  const open = (): ReturnType<typeof createRedisRunnerRegistry> =>
    createRedisRunnerRegistry({ redis: server.connection, onError: () => undefined });

  runnerRegistryContract(async () => {
    const [one, two] = [open(), open()];
    return {
      one,
      two,
      close: async () => {
        await Promise.all([one.close(), two.close()]);
        await admin.flushall();
      },
    };
  });

  it('tells watchers after a reconnect that they may have missed something, and of what comes then', async () => {
    const [one, two] = [open(), open()];
    const changes = new Inbox<string>();
    await two.watch(() => changes.push('changed'));
    await server.restart();
    await changes.atLeast(1);
    await one.register(aRunner(), 600_000);
    await changes.atLeast(2);
    await Promise.all([one.close(), two.close()]);
  });

  it('keeps nothing of the lapsed', async () => {
    const registry = open();
    await registry.register(aRunner(), 0);
    await registry.list();
    expect(await admin.keys('*')).toEqual([]);
    await registry.close();
  });
});
