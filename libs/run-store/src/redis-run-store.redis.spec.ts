/** The Redis run store keeps the contract, over a real Redis; and what only Redis can show. */
import { Redis } from 'ioredis';
import { type TestRedis, runStoreContract, startRedis } from '@weft/testing';
import { createRedisRunStore } from './redis-run-store.adapter.js';

describe('redis run store', () => {
  let server: TestRedis;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.connection);
  });
  afterAll(async () => {
    await admin.quit();
    await server.stop();
  });

  runStoreContract(async () => {
    const [one, two] = [createRedisRunStore({ redis: server.connection }), createRedisRunStore({ redis: server.connection })];
    return {
      one,
      two,
      close: async () => {
        await Promise.all([one.close(), two.close()]);
        await admin.flushall();
      },
    };
  });
});
