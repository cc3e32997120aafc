/** What the stack's Redis has answered it has after it was killed, also where the disk takes its time: with `everysec` this fails. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { type Home, homeOf, prepareHome, socketPath } from '../home.js';
import { findInPath } from './programs.js';
import { findRedisServer, redisArguments, redisReadyLine } from './redis.js';

/** Every flush takes so long. */
const SLOW_DISK = ['-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=500000'];

let home: Home;
let started: ChildProcess[];
beforeEach(() => {
  home = homeOf({ WEFT_HOME: mkdtempSync(join(tmpdir(), 'weft-home-')) });
  prepareHome(home);
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((child) => ended(child, 'SIGKILL')));
  rmSync(home.root, { recursive: true });
});

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  return gone;
}

async function serve(...before: string[]): Promise<{ child: ChildProcess; redis: Redis; pid: number }> {
  const server = findRedisServer();
  if (server === undefined) throw new Error('this test needs redis-server');
  const [command = server, ...args] = [...before, server, ...redisArguments(home)];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => redisReadyLine(line) && resolve());
    child.once('exit', (code) => reject(new Error(`Redis ended with ${code} before it was ready`)));
  });
  const redis = new Redis({ path: socketPath(home, 'redis'), retryStrategy: () => null });
  redis.on('error', () => undefined);
  const [, pid] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];
  return { child, redis, pid: Number(pid) };
}

it('what is answered while the disk is slow is there after a kill', async () => {
  const strace = findInPath(['strace']);
  if (strace === undefined) throw new Error('this test needs strace');
  const first = await serve(strace, ...SLOW_DISK);
  const seconds = async (): Promise<number> => Number((await first.redis.time())[0]);
  // In its first second `everysec` flushes nothing: by Redis' own clock, which is the one that it goes by.
  for (const from = await seconds(); (await seconds()) < from + 2;) continue;
  const written = ['the first, which begins a flush', 'a second', 'a third'];
  for (const [n, text] of written.entries()) await first.redis.set(String(n), text);
  const gone = new Promise((resolve) => first.child.once('exit', resolve));
  process.kill(first.pid, 'SIGKILL');
  await gone;
  first.redis.disconnect();
  const second = await serve();
  expect(await second.redis.mget(written.map((_, n) => String(n)))).toEqual(written);
  second.redis.disconnect();
  await ended(second.child, 'SIGTERM');
});
