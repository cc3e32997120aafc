/**
 * Redis connections from a URL: `redis://[user:password@]host[:port][/db]`, `rediss://…` (TLS) or `unix:/abs/path.sock[?db=n]`.
 */
import { Redis } from 'ioredis';
import { ConfigError } from './config.js';

/** Options that ioredis and BullMQ both take. */
export type RedisConnection = { db?: number; username?: string; password?: string } & (
  { host: string; port: number; tls?: Record<string, never> } | { path: string }
);

/** Throws ConfigError for anything else; never echoes the URL, which may hold a password. */
export function redisConnection(url: string): RedisConnection {
  if (url.startsWith('unix:')) return socketConnection(url);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['redis:', 'rediss:'].includes(parsed.protocol) || parsed.hostname === '') {
    throw bad('expected redis://host:port, rediss://host:port or unix:/absolute/path');
  }
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    ...credentialsOf(parsed),
    ...dbOf(parsed.pathname.slice(1)),
    ...(parsed.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/**
 * Commands wait while Redis restarts (they are sent again after a reconnect) and never fail for having waited; callers bound their own patience.
 * READONLY (a failover left us on a replica) reconnects and sends the command again.
 */
export function createRedis(url: string): Redis {
  return new Redis({
    ...redisConnection(url),
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(times * 50, 1000),
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  });
}

function socketConnection(url: string): RedisConnection {
  const [path = '', query = ''] = url.slice('unix:'.length).split('?');
  const absolute = path.replace(/^\/\/(?=\/)/, '');
  if (!absolute.startsWith('/')) throw bad('the path of a unix socket must be absolute');
  return { path: absolute, ...dbOf(new URLSearchParams(query).get('db') ?? '') };
}

function credentialsOf(url: URL): { username?: string; password?: string } {
  return {
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
}

function dbOf(text: string): { db?: number } {
  if (text === '') return {};
  if (!/^\d+$/.test(text)) throw bad('the database must be a number');
  return { db: Number(text) };
}

function bad(message: string): ConfigError {
  return new ConfigError([{ variable: 'WEFT_REDIS_URL', message }]);
}
