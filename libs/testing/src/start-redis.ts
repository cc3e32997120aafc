/**
 * A Redis server of a test's own: a unix socket in a temporary folder, no TCP port, stopped by its process id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestRedis {
  /** Options for ioredis and BullMQ. */
  connection: { path: string };
  /** As WEFT_REDIS_URL. */
  url: string;
  /** Kills it the hard way and starts it again on the same socket and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * `durable`: append-only file, synced on every write, so that restart() loses nothing. `args`: more for the server's command line.
 * Throws when there is no redis-server or valkey-server.
 */
export async function startRedis(options: { durable?: boolean; args?: string[] } = {}): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-redis-'));
  const path = join(folder, 'redis.sock');
  const durability = options.durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const args = [
    '--port',
    '0',
    '--unixsocket',
    path,
    '--dir',
    folder,
    '--save',
    '',
    '--loglevel',
    'notice',
    ...durability,
    ...(options.args ?? []),
  ];
  let server = await start(args);
  const killOnExit = (): void => void server.kill('SIGKILL');
  process.on('exit', killOnExit);
  return {
    connection: { path },
    url: `unix:${path}`,
    restart: async () => {
      await end(server, 'SIGKILL');
      server = await start(args);
    },
    stop: async () => {
      process.removeListener('exit', killOnExit);
      await end(server, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(args: string[]): Promise<ChildProcess> {
  const configured = process.env['WEFT_REDIS_SERVER'];
  for (const binary of configured ? [configured] : ['redis-server', 'valkey-server']) {
    const server = await launch(binary, args);
    if (server) return server;
  }
  throw new Error('these tests need redis-server or valkey-server on the PATH (or WEFT_REDIS_SERVER)');
}

/** Undefined: there is no such program. Rejects when it ends before it is ready. */
function launch(binary: string, args: string[]): Promise<ChildProcess | undefined> {
  return new Promise((resolve, reject) => {
    const server = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (!output.includes('eady to accept connections')) return;
      server.stdout.off('data', read).resume();
      server.stderr.off('data', read).resume();
      server.off('exit', early);
      resolve(server);
    };
    const early = (): void => reject(new Error(`${binary} ended before it was ready:\n${output}`));
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    server.once('exit', early);
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve(undefined) : reject(error)));
  });
}

function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.once('exit', () => resolve());
    server.kill(signal);
  });
}
