/**
 * The service registry on Redis: one script and one round trip per call, a second connection as soon as somebody watches.
 */
import { canonicalJson } from '@weft/plan';
import { Redis, type RedisOptions } from 'ioredis';
import { IDLE, type RunnerLoad, type RunnerRecord, type RunnerRegistry } from './ports.js';
import { deregisterRunner, drainRunner, listRunners, registerRunner } from './scripts.lua.js';

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

/** What a record has besides that which watchers want to hear of. */
type Passing = RunnerLoad & { diskBytes: number };

type Script = (...args: (string | number)[]) => Promise<unknown>;

export function createRedisRunnerRegistry(options: RedisRunnerRegistryOptions): RedisRunnerRegistry {
  return new Registry(options);
}

class Registry implements RedisRunnerRegistry {
  private readonly redis: Redis;
  private readonly keys: [records: string, lastSeen: string, lapses: string, loads: string, drained: string];
  private readonly channel: string;
  private readonly scripts: { register: Script; deregister: Script; list: Script; drain: Script };
  private readonly watchers = new Set<() => void>();
  private subscribed: { redis: Redis; acknowledged: Promise<unknown> } | undefined;

  constructor(private readonly options: RedisRunnerRegistryOptions) {
    const prefix = options.keyPrefix ?? 'weft:';
    if (/[{}]/.test(prefix)) throw new RangeError(`the key prefix "${prefix}" must not have braces: they would replace the hash tag`);
    const key = (name: string): string => `${prefix}{registry}:${name}`;
    this.keys = [key('runners'), key('seen'), key('lapses'), key('loads'), key('drained')];
    this.channel = key('changed');
    this.redis = this.connect();
    this.scripts = {
      register: define(this.redis, 'weftRegisterRunner', registerRunner),
      deregister: define(this.redis, 'weftDeregisterRunner', deregisterRunner),
      list: define(this.redis, 'weftListRunners', listRunners),
      drain: define(this.redis, 'weftDrainRunner', drainRunner),
    };
  }

  async register(runner: Omit<RunnerRecord, 'lastSeenMs'>, ttlMs: number): Promise<void> {
    const { load, ...lasting } = runner;
    const { diskBytes, ...capacity } = runner.capacity;
    const passing: Passing = { ...load, diskBytes };
    // Canonical, so that the order of members does not count as a change.
    const record = canonicalJson({ ...lasting, capacity });
    await this.scripts.register(...this.keys, runner.runnerId, record, ttlMs, this.channel, JSON.stringify(passing));
  }

  async deregister(runnerId: string): Promise<void> {
    await this.scripts.deregister(...this.keys, runnerId, this.channel);
  }

  async list(pool?: string): Promise<RunnerRecord[]> {
    const found = (await this.scripts.list(...this.keys)) as (string | number)[];
    const runners: RunnerRecord[] = [];
    for (let i = 0; i + 3 < found.length; i += 4) {
      const runner = recordOf(String(found[i]), String(found[i + 2]));
      if (pool !== undefined && runner.pool !== pool) continue;
      runners.push({ ...runner, draining: runner.draining || found[i + 3] === 1, lastSeenMs: Number(found[i + 1]) });
    }
    return runners;
  }

  async drain(runnerId: string, draining: boolean): Promise<boolean> {
    return (await this.scripts.drain(...this.keys, runnerId, draining ? 1 : 0, this.channel)) === 1;
  }

  async drained(): Promise<string[]> {
    return (await this.redis.smembers(this.keys[4])).sort();
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

function recordOf(record: string, load: string): Omit<RunnerRecord, 'lastSeenMs'> {
  const runner = JSON.parse(record) as Omit<RunnerRecord, 'lastSeenMs'>;
  // A scheduler of an earlier version wrote a record without load: its next heartbeat brings one.
  if (load === '') return { ...runner, load: IDLE };
  const { diskBytes, ...rest } = JSON.parse(load) as Passing;
  return { ...runner, capacity: { ...runner.capacity, diskBytes }, load: rest };
}

function define(redis: Redis, name: string, lua: string): Script {
  redis.defineCommand(name, { lua, numberOfKeys: 5 });
  const command = (redis as unknown as Record<string, Script>)[name];
  if (!command) throw new Error(`the client did not take the script ${name}`);
  return command.bind(redis);
}

async function disconnect(redis: Redis): Promise<void> {
  // A connection that breaks before QUIT is answered is closed as well.
  if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
  else redis.disconnect();
}
