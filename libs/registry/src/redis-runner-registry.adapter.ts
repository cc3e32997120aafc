/**
 * The service registry on Redis: one script and one round trip per call, a second connection as soon as somebody watches.
 */
import { canonicalJson } from '@weft/plan';
import { ForeignMessageError, RedisLink, type RedisLinkOptions } from '@weft/run-store';
import type { Redis } from 'ioredis';
import type { RunnerRecord, RunnerRegistry } from './ports.js';
import { decodeRunner, type Passing } from './record-codec.js';
import { deregisterRunner, drainRunner, listRunners, registerRunner } from './scripts.lua.js';

export interface RedisRunnerRegistryOptions extends RedisLinkOptions {
  /** Default `weft:`. Must not have braces. */
  keyPrefix?: string;
}

export interface RedisRunnerRegistry extends RunnerRegistry {
  close(): Promise<void>;
}

/** Of a record that is none, characters. */
const SHOWN = 80;

type Script = (...args: (string | number)[]) => Promise<unknown>;

export function createRedisRunnerRegistry(options: RedisRunnerRegistryOptions): RedisRunnerRegistry {
  return new Registry(options);
}

class Registry implements RedisRunnerRegistry {
  private readonly link: RedisLink;
  private readonly redis: Redis;
  private readonly keys: [records: string, lastSeen: string, lapses: string, loads: string, drained: string];
  private readonly channel: string;
  private readonly scripts: { register: Script; deregister: Script; list: Script; drain: Script };
  private readonly watchers = new Set<() => void>();
  private readonly onError: (error: Error) => void;
  private subscribed: Promise<unknown> | undefined;
  private told = false;

  constructor(options: RedisRunnerRegistryOptions) {
    const prefix = options.keyPrefix ?? 'weft:';
    if (/[{}]/.test(prefix)) throw new RangeError(`the key prefix "${prefix}" must not have braces: they would replace the hash tag`);
    const key = (name: string): string => `${prefix}{registry}:${name}`;
    this.keys = [key('runners'), key('seen'), key('lapses'), key('loads'), key('drained')];
    this.channel = key('changed');
    this.onError = options.onError ?? ((error) => process.emitWarning(error));
    this.link = new RedisLink(options);
    this.redis = this.link.commands;
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
      const runner = decodeRunner(String(found[i]), String(found[i + 2]));
      if (!runner) this.tellOfForeign(String(found[i]));
      if (!runner || (pool !== undefined && runner.pool !== pool)) continue;
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
    await this.subscribed;
    return async () => void this.watchers.delete(watcher);
  }

  async close(): Promise<void> {
    this.watchers.clear();
    await this.link.close();
  }

  /** The runners beside it are listed; it lapses, where nobody renews it. */
  private tellOfForeign(record: string): void {
    if (this.told) return;
    this.told = true;
    const what = 'a record of the service registry is not a runner and is left out, as further ones will be without a word';
    this.onError(new ForeignMessageError(`${what}: ${JSON.stringify(record.slice(0, SHOWN))}`));
  }

  private subscribe(): Promise<unknown> {
    const tell = (): void => this.watchers.forEach((watcher) => watcher());
    return this.link.subscriptions.subscribe(this.channel, {
      what: 'news of runners',
      onMessage: tell,
      onReset: tell,
      onClose: () => undefined,
    });
  }
}

function define(redis: Redis, name: string, lua: string): Script {
  redis.defineCommand(name, { lua, numberOfKeys: 5 });
  const command = (redis as unknown as Record<string, Script>)[name];
  if (!command) throw new Error(`the client did not take the script ${name}`);
  return command.bind(redis);
}
