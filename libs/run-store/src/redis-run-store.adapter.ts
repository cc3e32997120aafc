/**
 * The run store on Redis: two connections (commands, subscriptions) that all ports share.
 *
 * Commands wait while Redis is away and are sent again after a reconnect (redis-connection.ts); every script recognises a call that it has
 * already carried out.
 */
import { ForeignMessageError } from './errors.js';
import { createKeys } from './keys.js';
import { type Nudges, partitionOf } from './ports.js';
import type { RunStore } from './run-store.port.js';
import { RedisLink, type RedisLinkOptions } from './redis-connection.js';
import { RedisLeases } from './redis-leases.js';
import { RecentInputs } from './recent-inputs.js';
import { RedisRunEntries } from './redis-run-entries.js';
import { RedisRunIndex } from './redis-run-index.js';
import { RedisRunIntake } from './redis-run-intake.js';
import { RedisRunLog } from './redis-run-log.js';
import { RedisRunObjects } from './redis-run-objects.js';
import { RedisRunReader, parseNudge } from './redis-run-reader.js';
import { RedisRunRetention } from './redis-run-retention.js';
import { RedisTaskCancels } from './redis-task-cancels.js';
import { RedisTaskLogs } from './redis-task-logs.js';
import { claimFormat } from './store-format.js';

export interface RedisRunStoreOptions extends RedisLinkOptions {
  /** Default `weft:`. Must not have braces. */
  keyPrefix?: string;
  /** Whether a run that is not here lies in the archive: a submission whose idempotency key leads to it is not taken again. Default: none does. */
  isArchived?: (runId: string) => Promise<boolean>;
}

export function createRedisRunStore(options: RedisRunStoreOptions): RunStore {
  const keys = createKeys(options.keyPrefix ?? 'weft:');
  const link = new RedisLink(options);
  const { commands: redis, subscriptions } = link;
  const index = new RedisRunIndex(redis, keys);
  const objects = new RedisRunObjects(redis, keys);
  const recent = new RecentInputs();
  const entries = new RedisRunEntries(redis, keys, objects, recent);
  const reader = new RedisRunReader(redis, keys, index, subscriptions, objects, entries);
  const nudges: Nudges = {
    subscribe: (partition, onNudge, onReset) =>
      subscriptions.subscribe(keys.nudge(partition), {
        what: 'a nudge',
        onMessage: (message) => {
          const { runId, sequence } = parseNudge(message);
          if (partitionOf(runId) !== partition) throw new ForeignMessageError(`run ${runId} is of another partition`);
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
    intake: new RedisRunIntake(redis, keys, index, options.isArchived ?? (async () => false), recent),
    log: new RedisRunLog(redis, keys, reader),
    leases: new RedisLeases(redis, keys, subscriptions),
    nudges,
    cancels: new RedisTaskCancels(redis, keys, subscriptions),
    reader,
    retention: new RedisRunRetention(redis, keys, index, objects, entries),
    taskLogs: new RedisTaskLogs(redis, keys, subscriptions),
    close: () => link.close(),
  };
}
