/**
 * At most one supervisor per WEFT_HOME among those that share this host's sockets. (Among hosts: lock/.) The lock is a listening socket, so it
 * goes with its holder however that dies. Whoever finds it taken hears from the holder when its stack can be reached, or that the holder ended.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Home } from '../home.js';

export interface StackLock {
  /** Tells those who wait, now and later, that the control socket answers. */
  announce(): void;
  /** Later comers wait for the end of this process instead. */
  retire(): void;
}

/** Takes the lock, or waits until the holder's stack answers ("taken") or the holder is gone, and then takes it. */
export async function takeStackLock(home: Home): Promise<StackLock | 'taken'> {
  const address = lockAddress(home);
  for (;;) {
    const lock = await tryListen(address);
    if (lock !== undefined) return lock;
    if ((await hearHolder(address)) === 'announced') return 'taken';
  }
}

function lockAddress(home: Home): string {
  const id = createHash('sha256')
    .update(`${process.getuid?.() ?? -1}:${home.root}`)
    .digest('hex')
    .slice(0, 32);
  return process.platform === 'linux' ? `\0weft-stack-${id}` : join(home.run, 'lock.sock');
}

function tryListen(address: string): Promise<StackLock | undefined> {
  return new Promise((resolve, reject) => {
    let phase: 'starting' | 'announced' | 'retired' = 'starting';
    const waiting = new Set<Socket>();
    const server: Server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => waiting.delete(socket));
      if (phase === 'announced') socket.end('announced');
      else waiting.add(socket);
    });
    server.unref();
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () =>
      resolve({
        announce: () => {
          phase = 'announced';
          for (const socket of waiting) socket.end('announced');
        },
        retire: () => {
          phase = 'retired';
        },
      }),
    );
  });
}

function hearHolder(address: string): Promise<'announced' | 'gone'> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(address);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (heard += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A socket file whose owner is dead; only where there is no abstract namespace.
      if (error.code === 'ECONNREFUSED' && !address.startsWith('\0')) rmSync(address, { force: true });
    });
    socket.on('close', () => resolve(heard === 'announced' ? 'announced' : 'gone'));
  });
}
