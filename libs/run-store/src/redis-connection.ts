/**
 * How services talk to Redis: every connection that they make is made here.
 *
 * Invariants:
 *  1. A connection heals by itself, and what was asked of it waits and is sent again: callers' scripts know a call that was carried out already.
 *  2. Whoever is told that its server is a replica (a failover went by) leaves it with all connections: who only listens is told nothing.
 *  3. A peer that has gone without a word is noticed: what is silent is probed, and an answer that does not come ends the connection.
 */
import { Redis, type RedisOptions } from 'ioredis';
import { Subscriptions } from './subscriptions.js';

/** Probes begin after so long without a word. */
const KEEP_ALIVE_MS = 10_000;
/** Far longer than any script or flush takes. */
const ANSWER_MS = 60_000;

/** For connections of all kinds, those of BullMQ too, which block on purpose and bound that themselves. */
export const HEALING = {
  maxRetriesPerRequest: null,
  keepAlive: KEEP_ALIVE_MS,
  retryStrategy: (times: number) => Math.min(times * 50, 1000),
  reconnectOnError: (error: Error) => (saysReplica(error) ? 2 : false),
} satisfies RedisOptions;

export interface RedisLinkOptions {
  /** Connection options as `redisConnection(url)` of @weft/platform gives them. */
  redis: RedisOptions;
  /** Told of connection errors, which heal by themselves, and of messages that were dropped. Default: a process warning. */
  onError?: ((error: Error) => void) | undefined;
}

/** A connection for commands and, once somebody listens, one for messages. */
export class RedisLink {
  readonly commands: Redis;
  private listening: { redis: Redis; subscriptions: Subscriptions } | undefined;
  private readonly onError: (error: Error) => void;

  /** @param extra for the connection of commands */
  constructor(
    private readonly options: RedisLinkOptions,
    extra: RedisOptions = {},
  ) {
    this.onError = options.onError ?? ((error) => process.emitWarning(error));
    this.commands = this.connect({ ...extra, reconnectOnError: (error) => this.leaveReplica(error) });
  }

  get subscriptions(): Subscriptions {
    this.listening ??= this.listen();
    return this.listening.subscriptions;
  }

  async close(): Promise<void> {
    this.listening?.subscriptions.close();
    await Promise.all([this.commands, this.listening?.redis].map((redis) => redis && disconnect(redis)));
  }

  private listen(): { redis: Redis; subscriptions: Subscriptions } {
    const redis = this.connect({ autoResubscribe: false });
    return { redis, subscriptions: new Subscriptions(redis, this.onError) };
  }

  private leaveReplica(error: Error): false | 2 {
    if (!saysReplica(error)) return false;
    this.listening?.redis.disconnect(true);
    return 2;
  }

  private connect(extra: RedisOptions): Redis {
    const redis = new Redis({ ...this.options.redis, ...HEALING, socketTimeout: ANSWER_MS, ...extra });
    redis.on('error', this.onError);
    return redis;
  }
}

/** Also from within a script: "ERR Error running script …: -READONLY …" before Redis 7. */
function saysReplica({ message }: Error): boolean {
  return /(^|-)(READONLY|MASTERDOWN) /.test(message);
}

/** QUIT lets answers on their way arrive; without a connection there are none to wait for. */
async function disconnect(redis: Redis): Promise<void> {
  // A connection that breaks before QUIT is answered is closed as well.
  if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
  else redis.disconnect();
}
