/**
 * The stack's own Redis: which program serves it, with which arguments, and how to get one where there is none.
 */
import { spawnSync } from 'node:child_process';
import { type Home, socketPath } from '../home.js';
import { REDIS_PROGRAMS, findInPath } from './programs.js';

/** URL of a Redis that the user runs; WEFT_REDIS_URL, else REDIS_URL. */
export function givenRedisUrl(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env['WEFT_REDIS_URL'] || env['REDIS_URL'] || undefined;
}

export function findRedisServer(): string | undefined {
  return findInPath(REDIS_PROGRAMS);
}

/** Finds a Redis server or installs Debian's. Throws with what to do where neither works. */
export function ensureRedisServer(say: (line: string) => void): string {
  const found = findRedisServer();
  if (found !== undefined) return found;
  const advice =
    'weft needs Redis 6.2 or newer (or Valkey): install it with `apt-get install redis-server` (or your system’s package), ' +
    'or set REDIS_URL to one that runs';
  const apt = findInPath(['apt-get']);
  const asRoot = process.getuid?.() === 0 ? [] : passwordlessSudo();
  if (apt === undefined || asRoot === undefined) throw new Error(`no redis-server or valkey-server in PATH. ${advice}`);
  say('installing redis-server (Debian package, once)');
  const [command = apt, ...args] = [...asRoot, apt];
  const install = (): boolean => aptGet(command, [...args, 'install', '-y', '-qq', '--no-install-recommends', 'redis-server']);
  if (!install() && !(aptGet(command, [...args, 'update', '-qq']) && install()))
    throw new Error(`apt-get could not install redis-server. ${advice}`);
  const installed = findRedisServer();
  if (installed === undefined) throw new Error(`apt-get installed redis-server, but it is not in PATH. ${advice}`);
  return installed;
}

function passwordlessSudo(): string[] | undefined {
  const sudo = findInPath(['sudo']);
  if (sudo === undefined || spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return undefined;
  return [sudo, '-n', 'env', 'DEBIAN_FRONTEND=noninteractive'];
}

function aptGet(command: string, args: string[]): boolean {
  // Debian starts a service of its own after installing: RUNLEVEL keeps it from doing so.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0;
}

/**
 * Durable: Redis answers what it has written and flushed (ADR 16). Reachable through its socket only.
 * With `everysec` a write that comes while a flush is under way is answered although it is nowhere but in Redis' memory.
 */
export function redisArguments(home: Home): string[] {
  const settings = {
    port: '0',
    unixsocket: socketPath(home, 'redis'),
    unixsocketperm: '700',
    dir: home.redis,
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    daemonize: 'no',
    'maxmemory-policy': 'noeviction',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

export function redisReadyLine(line: string): Record<string, unknown> | undefined {
  return /ready to accept connections/i.test(line) ? {} : undefined;
}
