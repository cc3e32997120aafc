/**
 * Redis connections from a URL: `redis://[user:password@]host[:port][/db]`, `rediss://…` (TLS) or `unix:/abs/path.sock[?db=n]`.
 */
import { readFileSync } from 'node:fs';
import { HEALING } from '@weft/run-store';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { ConfigError } from './config.js';

/** Paths of PEM files for `rediss:`; read when a connection's options are made. */
export interface RedisTlsFiles {
  /** Whom to trust; absent: whom the system trusts. */
  ca?: string;
  /** For a server that asks clients for a certificate. */
  cert?: string;
  key?: string;
}

type RedisTls = { [name in keyof RedisTlsFiles]?: Buffer };

/** Options that ioredis and BullMQ both take. */
export type RedisConnection = { db?: number; username?: string; password?: string } & (
  { host: string; port: number; tls?: RedisTls } | { path: string }
);

/** Throws ConfigError for anything else, also for files that cannot be read; never echoes the URL, which may hold a password. */
export function redisConnection(url: string, files?: RedisTlsFiles): RedisConnection {
  if (files !== undefined && !url.startsWith('rediss:')) throw bad('WEFT_REDIS_TLS_… are for rediss://');
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
    ...(parsed.protocol === 'rediss:' ? { tls: readTls(files) } : {}),
  };
}

/** Commands wait while Redis restarts, or another takes its place, and never fail for having waited; callers bound their own patience. */
export function createRedis(url: string, files?: RedisTlsFiles): Redis {
  return new Redis({ ...redisConnection(url, files), ...HEALING });
}

/** For the schema of an app's environment. */
export const redisTlsVariables = {
  WEFT_REDIS_TLS_CA: z.string().min(1).optional(),
  WEFT_REDIS_TLS_CERT: z.string().min(1).optional(),
  WEFT_REDIS_TLS_KEY: z.string().min(1).optional(),
};

type RedisTlsEnvironment = { [name in keyof typeof redisTlsVariables]?: string | undefined };

/** Undefined where none is named. A certificate without its key becomes an issue of the schema. For use in `transform`. */
export function redisTlsFilesOf(env: RedisTlsEnvironment, context: z.RefinementCtx): RedisTlsFiles | undefined {
  const { WEFT_REDIS_TLS_CA: ca, WEFT_REDIS_TLS_CERT: cert, WEFT_REDIS_TLS_KEY: key } = env;
  if ((cert === undefined) !== (key === undefined)) {
    const [missing, given] = cert === undefined ? (['CERT', 'KEY'] as const) : (['KEY', 'CERT'] as const);
    context.addIssue({ code: 'custom', path: [`WEFT_REDIS_TLS_${missing}`], message: `must be set together with WEFT_REDIS_TLS_${given}` });
  }
  return ca === undefined && cert === undefined ? undefined : { ca, cert, key };
}

function readTls(files: RedisTlsFiles = {}): RedisTls {
  const read: RedisTls = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = files[name];
    if (path === undefined) continue;
    try {
      read[name] = readFileSync(path);
    } catch {
      throw new ConfigError([{ variable: `WEFT_REDIS_TLS_${name.toUpperCase()}`, message: `cannot read ${path}` }]);
    }
  }
  return read;
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
