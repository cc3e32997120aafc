/**
 * What a Redis holds, as text that any version of Redis can be given again (a file of its own would need the version that wrote it): one line
 * of JSON for each key.
 *
 * Invariant: what lapses within minutes (leases, locks of jobs) is left out, as whoever comes back after an upgrade finds it lapsed; so is what says
 * where the runners of that machine are reached, and what the queue tells the board of jobs.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Redis } from 'ioredis';

interface Key {
  key: string;
  type: string;
  value: unknown;
  /** Milliseconds that it has left; absent: it stays. */
  ttlMs?: number;
}

const LAPSES_MS = 600_000;
const LEFT_OUT = /\{registry\}|:events$/;
/** Values per command. */
const CHUNK = 1_000;

export async function dumpRedis(redis: Redis): Promise<Buffer> {
  const lines: string[] = [];
  for (const key of (await redis.keys('*')).sort()) {
    const ttlMs = await redis.pttl(key);
    if ((ttlMs >= 0 && ttlMs < LAPSES_MS) || LEFT_OUT.test(key)) continue;
    const type = await redis.type(key);
    const read: Key = { key, type, value: await READ[typeOf(type)](redis, key), ...(ttlMs >= 0 && { ttlMs }) };
    lines.push(JSON.stringify(read));
  }
  return gzipSync(lines.join('\n'), { level: 9 });
}

export async function restoreRedis(redis: Redis, dump: Buffer): Promise<void> {
  for (const line of gunzipSync(dump).toString().split('\n')) {
    const { key, type, value, ttlMs } = JSON.parse(line) as Key;
    await WRITE[typeOf(type)](redis, key, value as never);
    if (ttlMs !== undefined) await redis.pexpire(key, ttlMs);
  }
}

const READ = {
  string: (redis: Redis, key: string) => redis.get(key),
  hash: (redis: Redis, key: string) => redis.hgetall(key),
  list: (redis: Redis, key: string) => redis.lrange(key, 0, -1),
  set: async (redis: Redis, key: string) => (await redis.smembers(key)).sort(),
  zset: (redis: Redis, key: string) => redis.zrange(key, '0', '-1', 'WITHSCORES'),
  stream: (redis: Redis, key: string) => redis.xrange(key, '-', '+'),
};

const WRITE: { [type in keyof typeof READ]: (redis: Redis, key: string, value: never) => Promise<unknown> } = {
  string: (redis, key, value: string) => redis.set(key, value),
  hash: (redis, key, value: Record<string, string>) => redis.hset(key, value),
  list: (redis, key, value: string[]) => inChunks(value, (some) => redis.rpush(key, ...some)),
  set: (redis, key, value: string[]) => inChunks(value, (some) => redis.sadd(key, ...some)),
  zset: (redis, key, value: string[]) => inChunks(value, (some) => redis.zadd(key, ...pairs(some))),
  stream: async (redis, key, value: [id: string, fields: string[]][]) => {
    for (const [id, fields] of value) await redis.xadd(key, id, ...fields);
  },
};

function typeOf(type: string): keyof typeof READ {
  if (type in READ) return type as keyof typeof READ;
  throw new Error(`a key of type ${type} cannot be kept`);
}

async function inChunks(values: string[], write: (some: string[]) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < values.length; at += CHUNK) await write(values.slice(at, at + CHUNK));
}

/** Redis tells members before their scores, and takes them the other way round. */
function pairs(members: string[]): string[] {
  return members.flatMap((member, at) => (at % 2 === 0 ? [members[at + 1] ?? '', member] : []));
}
