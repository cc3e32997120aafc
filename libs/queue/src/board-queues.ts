/** The same queues for a board that shows them: opened for looking, over one connection. */
import { Queue } from 'bullmq';
import { HEALING } from '@weft/run-store';
import { Redis, type RedisOptions } from 'ioredis';
import type { TaskJob } from './ports.js';
import { poolsKey, taskQueueName, taskQueuePrefix } from './queue-names.js';

export interface BoardQueues {
  queues: Queue<TaskJob, void, string>[];
  close(): Promise<void>;
}

/** Pools that somebody ever added to or consumed, sorted. */
export async function discoverPools(connection: RedisOptions, prefix?: string): Promise<string[]> {
  const redis = new Redis({ ...connection, ...HEALING });
  try {
    return (await redis.smembers(poolsKey(prefix))).sort();
  } finally {
    redis.disconnect();
  }
}

export function openBoardQueues(
  connection: RedisOptions,
  pools: string[],
  options: { prefix?: string; onError?: (error: Error) => void } = {},
): BoardQueues {
  const onError = options.onError ?? ((error: Error) => process.emitWarning(error));
  const redis = new Redis({ ...connection, ...HEALING });
  redis.on('error', onError);
  const queues = pools.map((pool) => {
    const prefix = taskQueuePrefix(pool, options.prefix);
    const queue = new Queue<TaskJob, void, string>(taskQueueName(pool), { connection: redis, prefix, skipMetasUpdate: true });
    queue.on('error', onError);
    return queue;
  });
  return {
    queues,
    close: async () => {
      await Promise.all(queues.map((queue) => queue.close()));
      redis.disconnect();
    },
  };
}
