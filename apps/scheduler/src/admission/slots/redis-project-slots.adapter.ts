/**
 * Project slots on Redis: a set of slots per project, and a key per run with the greatest token seen.
 *
 * Invariants: all keys of a project share a hash tag; every script may be sent again after its answer was lost.
 */
import { RedisLink, type RedisLinkOptions } from '@weft/run-store';
import type { Redis } from 'ioredis';
import type { ProjectSlots, RunOwner } from './project-slots.js';

/** How long an ended run's token stays, so that what an earlier owner had sent before finds it. */
const ENDED_TTL_S = 3_600;
const CHANNEL = 'weft:slots-free';

/** KEYS 1 slots (set)  2 token of the run  3 '1' = somebody was refused.  ARGV 1 token … `mine()`: not fenced, and the token is noted. */
const FENCE = `
local function mine()
  local token = redis.call('GET', KEYS[2])
  if token and tonumber(token) > tonumber(ARGV[1]) then return false end
  -- What is given back after the end does not make it stay for ever.
  redis.call('SET', KEYS[2], ARGV[1], 'KEEPTTL')
  return true
end
local function freed(count, channel, project)
  if count > 0 and redis.call('DEL', KEYS[3]) == 1 then redis.call('PUBLISH', channel, project) end
end
local function of_run(run)
  local held = {}
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    if string.sub(id, 1, #run + 1) == run .. '-' then held[#held + 1] = id end
  end
  return held
end
`;

/** ARGV 2 limit  3… slots. Returns how many are held, or -1 = fenced. */
const ACQUIRE = `${FENCE}
if not mine() then return -1 end
redis.call('PERSIST', KEYS[2])
local size, limit = redis.call('SCARD', KEYS[1]), tonumber(ARGV[2])
for i = 3, #ARGV do
  if redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then
    if size >= limit then
      redis.call('SET', KEYS[3], '1')
      return i - 3
    end
    redis.call('SADD', KEYS[1], ARGV[i])
    size = size + 1
  end
end
return #ARGV - 2
`;

/** ARGV 2 channel  3 project  4… slots. */
const RELEASE = `${FENCE}
if not mine() then return 0 end
local count = 0
for i = 4, #ARGV do count = count + redis.call('SREM', KEYS[1], ARGV[i]) end
freed(count, ARGV[2], ARGV[3])
return count
`;

/** ARGV 2 run id. Returns slots. */
const CLAIM = `${FENCE}
if not mine() then return {} end
redis.call('PERSIST', KEYS[2])
return of_run(ARGV[2])
`;

/** ARGV 2 channel  3 project  4 run id  5 seconds that the token stays. */
const END = `${FENCE}
if not mine() then return 0 end
local held = of_run(ARGV[4])
for _, id in ipairs(held) do redis.call('SREM', KEYS[1], id) end
redis.call('EXPIRE', KEYS[2], ARGV[5])
freed(#held, ARGV[2], ARGV[3])
return #held
`;

type Script = (keys: string[], args: (string | number)[]) => Promise<unknown>;

/** `prefix`: default `weft:`. */
export function createRedisProjectSlots(options: RedisLinkOptions & { prefix?: string }): ProjectSlots {
  return new RedisProjectSlots(options);
}

class RedisProjectSlots implements ProjectSlots {
  private readonly link: RedisLink;
  private readonly prefix: string;
  private readonly scripts: Record<'acquire' | 'release' | 'claim' | 'end', Script>;

  constructor({ prefix = 'weft:', ...options }: RedisLinkOptions & { prefix?: string }) {
    this.prefix = prefix;
    // Where no project has a limit nobody asks.
    this.link = new RedisLink(options, { lazyConnect: true });
    const script = (lua: string): Script => scriptOf(this.link.commands, lua);
    this.scripts = { acquire: script(ACQUIRE), release: script(RELEASE), claim: script(CLAIM), end: script(END) };
  }

  async acquire(owner: RunOwner, limit: number, slots: string[]): Promise<number | 'fenced'> {
    const granted = (await this.scripts.acquire(this.keysOf(owner), [owner.token, limit, ...slots])) as number;
    return granted < 0 ? 'fenced' : granted;
  }

  async release(owner: RunOwner, slots: string[]): Promise<void> {
    await this.scripts.release(this.keysOf(owner), [owner.token, CHANNEL, owner.project, ...slots]);
  }

  async claim(owner: RunOwner): Promise<string[]> {
    return (await this.scripts.claim(this.keysOf(owner), [owner.token, owner.runId])) as string[];
  }

  async end(owner: RunOwner): Promise<void> {
    await this.scripts.end(this.keysOf(owner), [owner.token, CHANNEL, owner.project, owner.runId, ENDED_TTL_S]);
  }

  async watch(onFree: (project?: string) => void): Promise<void> {
    await this.link.subscriptions.subscribe(CHANNEL, {
      what: 'the name of a project',
      onMessage: onFree,
      // Something may have been said meanwhile.
      onReset: () => onFree(),
      onClose: () => undefined,
    });
  }

  close(): Promise<void> {
    return this.link.close();
  }

  private keysOf({ project, runId }: RunOwner): string[] {
    const tag = `${this.prefix}{slots:${encodeURIComponent(project)}}`;
    return [tag, `${tag}:token:${runId}`, `${tag}:refused`];
  }
}

let scripts = 0;

function scriptOf(redis: Redis, lua: string): Script {
  const name = `weftSlots${(scripts += 1)}`;
  redis.defineCommand(name, { lua, numberOfKeys: 3 });
  const command = (redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>)[name];
  if (!command) throw new Error(`the client did not take the script ${name}`);
  return (keys, args) => command.call(redis, ...keys, ...args);
}
