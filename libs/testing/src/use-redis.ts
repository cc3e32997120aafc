/** A Redis of their own for the tests of a file or a `describe`: started before them, emptied after each, stopped after all. */
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from './start-redis.js';

export interface UsedRedis {
  /** There once the tests run. */
  readonly server: TestRedis;
  /** A client of the tests' own, to look into it. */
  readonly admin: Redis;
}

export function useRedis(): UsedRedis {
  let started: UsedRedis | undefined;
  const ready = (): UsedRedis => {
    if (started === undefined) throw new Error('there is no Redis before the tests run');
    return started;
  };
  beforeAll(async () => {
    const server = await startRedis();
    // Waits while a test restarts the server; what cannot be done then fails in the test itself.
    const admin = new Redis({ ...server.connection, maxRetriesPerRequest: null });
    admin.on('error', () => undefined);
    started = { server, admin };
  });
  afterEach(() => ready().admin.flushall());
  afterAll(async () => {
    await ready().admin.quit();
    await ready().server.stop();
  });
  return {
    get server() {
      return ready().server;
    },
    get admin() {
      return ready().admin;
    },
  };
}
