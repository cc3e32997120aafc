/**
 * The run store on Redis: two connections (commands, subscriptions) that all ports share.
 *
 * Commands wait while Redis is away and are sent again after a reconnect; every script recognises a call that it has already carried out.
 */
import { Redis, type RedisOptions } from 'ioredis';
import { createKeys } from './keys.js';
import type { Nudges, RunStore } from './ports.js';
import { RedisLeases } from './redis-leases.js';
import { RedisRunIndex } from './redis-run-index.js';
import { RedisRunIntake } from './redis-run-intake.js';
import { RedisRunLog } from './redis-run-log.js';
import { RedisRunObjects } from './redis-run-objects.js';
import { RedisRunReader, parseNudge } from './redis-run-reader.js';
import { RedisRunRetention } from './redis-run-retention.js';
import { RedisTaskCancels } from './redis-task-cancels.js';
import { RedisTaskLogs } from './redis-task-logs.js';
import { claimFormat } from './store-format.js';
import { Subscriptions } from './subscriptions.js';

export interface RedisRunStoreOptions {
  /** Connection options as `redisConnection(url)` of @weft/platform gives them. */
  redis: RedisOptions;
  /** Default `weft:`. Must not have braces. */
  keyPrefix?: string;
  /** Whether a run that is not here lies in the archive: a submission whose idempotency key leads to it is not taken again. Default: none does. */
  isArchived?: (runId: string) => Promise<boolean>;
  /** Told of connection errors, which heal by themselves. Default: ioredis writes them to stderr. */
  onError?: (error: Error) => void;
}

export function createRedisRunStore(options: RedisRunStoreOptions): RunStore {
  const keys = createKeys(options.keyPrefix ?? 'weft:');
  const redis = connect(options, {});
  const subscriber = connect(options, { autoResubscribe: false });
  const subscriptions = new Subscriptions(subscriber);
  const index = new RedisRunIndex(redis, keys);
  const objects = new RedisRunObjects(redis, keys);
  const reader = new RedisRunReader(redis, keys, index, subscriptions, objects);
  const nudges: Nudges = {
    subscribe: (partition, onNudge, onReset) =>
      subscriptions.subscribe(keys.nudge(partition), {
        onMessage: (message) => {
          const { runId, sequence } = parseNudge(message);
          // 0 = removed: nothing an owner had to do with.
          if (sequence > 0) onNudge(runId, sequence);
        },
        onReset,
        onClose: () => undefined,
      }),
  };
  return {
    open: () => claimFormat(redis, keys),
    ping: async () => void (await redis.ping()),
    intake: new RedisRunIntake(redis, keys, index, options.isArchived ?? (async () => false)),
    log: new RedisRunLog(redis, keys, reader),
    leases: new RedisLeases(redis, keys, subscriptions),
    nudges,
    cancels: new RedisTaskCancels(redis, keys, subscriptions),
    reader,
    retention: new RedisRunRetention(redis, keys, index, objects),
    taskLogs: new RedisTaskLogs(redis, keys, subscriptions),
    close: async () => {
      subscriptions.close();
      await Promise.all([disconnect(redis), disconnect(subscriber)]);
    },
  };
}

function connect(options: RedisRunStoreOptions, extra: RedisOptions): Redis {
  const redis = new Redis({
    ...options.redis,
    ...extra,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(times * 50, 1000),
    // After a failover we may still talk to what is now a replica: reconnect and send the command again.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  });
  if (options.onError) redis.on('error', options.onError);
  return redis;
}

/** QUIT lets answers on their way arrive; without a connection there are none to wait for. */
async function disconnect(redis: Redis): Promise<void> {
  // A connection that breaks before QUIT is answered is closed as well.
  if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
  else redis.disconnect();
}
