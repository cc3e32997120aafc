/**
 * The service registry on Redis: one script and one round trip per call, a second connection as soon as somebody watches.
 */
import { canonicalJson } from '@weft/plan';
import { Redis, type RedisOptions } from 'ioredis';
import type { RunnerRecord, RunnerRegistry } from './ports.js';
import { deregisterRunner, listRunners, registerRunner } from './scripts.lua.js';

export interface RedisRunnerRegistryOptions {
  /** Connection options as `redisConnection(url)` of @weft/platform gives them. */
  redis: RedisOptions;
  /** Default `weft:`. Must not have braces. */
  keyPrefix?: string;
  /** Told of connection errors, which heal by themselves. Default: ioredis writes them to stderr. */
  onError?: (error: Error) => void;
}

export interface RedisRunnerRegistry extends RunnerRegistry {
  close(): Promise<void>;
}

type Script = (...args: (string | number)[]) => Promise<unknown>;

export function createRedisRunnerRegistry(options: RedisRunnerRegistryOptions): RedisRunnerRegistry {
  return new Registry(options);
}

class Registry implements RedisRunnerRegistry {
  private readonly redis: Redis;
  private readonly keys: [records: string, lastSeen: string, lapses: string];
  private readonly channel: string;
  private readonly scripts: { register: Script; deregister: Script; list: Script };
  private readonly watchers = new Set<() => void>();
  private subscribed: { redis: Redis; acknowledged: Promise<unknown> } | undefined;

  constructor(private readonly options: RedisRunnerRegistryOptions) {
    const prefix = options.keyPrefix ?? 'weft:';
    if (/[{}]/.test(prefix)) throw new RangeError(`the key prefix "${prefix}" must not have braces: they would replace the hash tag`);
    const key = (name: string): string => `${prefix}{registry}:${name}`;
    this.keys = [key('runners'), key('seen'), key('lapses')];
    this.channel = key('changed');
    this.redis = this.connect();
    this.scripts = {
      register: define(this.redis, 'weftRegisterRunner', registerRunner),
      deregister: define(this.redis, 'weftDeregisterRunner', deregisterRunner),
      list: define(this.redis, 'weftListRunners', listRunners),
    };
  }

  async register(runner: Omit<RunnerRecord, 'lastSeenMs'>, ttlMs: number): Promise<void> {
    // Canonical, so that the order of members does not count as a change.
    await this.scripts.register(...this.keys, runner.runnerId, canonicalJson(runner), ttlMs, this.channel);
  }

  async deregister(runnerId: string): Promise<void> {
    await this.scripts.deregister(...this.keys, runnerId, this.channel);
  }

  async list(pool?: string): Promise<RunnerRecord[]> {
    const found = (await this.scripts.list(...this.keys)) as string[];
    const runners: RunnerRecord[] = [];
    for (let i = 0; i + 1 < found.length; i += 2) {
      const runner = JSON.parse(found[i] ?? '') as Omit<RunnerRecord, 'lastSeenMs'>;
      if (pool === undefined || runner.pool === pool) runners.push({ ...runner, lastSeenMs: Number(found[i + 1]) });
    }
    return runners;
  }

  /** Also calls back after a reconnect: something may have been missed. */
  async watch(onChange: () => void): Promise<() => Promise<void>> {
    // Each watch is its own, even of the same function.
    const watcher = (): void => onChange();
    this.watchers.add(watcher);
    this.subscribed ??= this.subscribe();
    await this.subscribed.acknowledged;
    return async () => void this.watchers.delete(watcher);
  }

  async close(): Promise<void> {
    this.watchers.clear();
    await Promise.all([this.redis, this.subscribed?.redis].map((redis) => redis && disconnect(redis)));
  }

  private subscribe(): { redis: Redis; acknowledged: Promise<unknown> } {
    const redis = this.connect({ autoResubscribe: false });
    const acknowledged = redis.subscribe(this.channel);
    const tell = (): void => this.watchers.forEach((watcher) => watcher());
    redis.on('message', tell);
    let first = true;
    redis.on('ready', () => {
      if (first) {
        first = false;
        return;
      }
      redis.subscribe(this.channel).then(tell, (error: unknown) => {
        // A connection that broke again starts over with the next `ready`.
        if (redis.status === 'ready') redis.emit('error', error);
      });
    });
    return { redis, acknowledged };
  }

  private connect(extra: RedisOptions = {}): Redis {
    const redis = new Redis({
      ...this.options.redis,
      ...extra,
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(times * 50, 1000),
      reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
    });
    if (this.options.onError) redis.on('error', this.options.onError);
    return redis;
  }
}

function define(redis: Redis, name: string, lua: string): Script {
  redis.defineCommand(name, { lua, numberOfKeys: 3 });
  const command = (redis as unknown as Record<string, Script>)[name];
  if (!command) throw new Error(`the client did not take the script ${name}`);
  return command.bind(redis);
}

async function disconnect(redis: Redis): Promise<void> {
  if (redis.status === 'ready') await redis.quit();
  else redis.disconnect();
}
