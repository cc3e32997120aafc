/**
 * Two Redis servers behind one address, as a sentinel with a moving address (or a managed Redis) gives them: a failover makes the second one the
 * master. Whoever is connected to the first one stays so, and finds a replica there that is cut off: it takes no writes, and hears nothing.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from './start-redis.js';

export interface RedisPair {
  /** The address, for clients. */
  connection: { path: string };
  /** To look into the second server. */
  second: TestRedis;
  /** Resolves when the second one is the master. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedisPair(): Promise<RedisPair> {
  const port = await freePort();
  const [first, second] = await Promise.all([
    startRedis({ args: ['--port', String(port), '--repl-diskless-sync-delay', '0'] }),
    startRedis(),
  ]);
  const [one, two] = [new Redis(first.connection), new Redis(second.connection)];
  await two.replicaof('127.0.0.1', port);
  let target = first.connection.path;
  const folder = mkdtempSync(join(tmpdir(), 'weft-redis-pair-'));
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(join(folder, 'redis.sock'));
  await once(server, 'listening');
  return {
    connection: { path: join(folder, 'redis.sock') },
    second,
    failOver: async () => {
      // Blocks until the second one has all that the first one was given: WAIT counts up to the last write of its own connection.
      await one.set('pair:fails-over', '', 'PX', 1);
      await one.wait(1, 0);
      await two.replicaof('NO', 'ONE');
      target = second.connection.path;
      // Nobody listens there.
      await one.replicaof('127.0.0.1', 1);
    },
    stop: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      for (const redis of [one, two]) redis.disconnect();
      await Promise.all([first.stop(), second.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
