// One at a time between processes of this machine and user: builds and installations must not run twice at once.
// The lock is a listening socket, so it goes with its holder however that dies, and those who wait are woken by its end:
// nothing is left behind and nobody polls. On Linux the socket lives in the abstract namespace and has no file.
import { createHash } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `work` while no other process does so under the same name; `onWait` is called once if somebody else is at it. */
export async function exclusively(name, work, onWait = () => {}) {
  const address = addressOf(name);
  let told = false;
  for (;;) {
    const server = await listen(address);
    if (server) {
      try {
        return await work();
      } finally {
        server.destroyWaiters();
        await new Promise((resolve) => server.close(resolve));
      }
    }
    if (!told) onWait();
    told = true;
    await untilReleased(address);
  }
}

function addressOf(name) {
  const id = `weft-${process.getuid?.() ?? 0}-${createHash('sha1').update(name).digest('hex').slice(0, 24)}`;
  return process.platform === 'linux' ? `\0${id}` : join(tmpdir(), `${id}.lock`);
}

/** A listening server, or undefined where another process has the address. */
function listen(address) {
  return new Promise((resolve, reject) => {
    const waiters = new Set();
    const server = createServer((socket) => {
      waiters.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => waiters.delete(socket));
    });
    server.destroyWaiters = () => waiters.forEach((socket) => socket.destroy());
    server.on('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });
}

function untilReleased(address) {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on('error', (error) => {
      if (error.code === 'ECONNREFUSED' && !address.startsWith('\0')) removeStale(address);
    });
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** A socket file whose owner is dead (only where there is no abstract namespace). */
function removeStale(path) {
  try {
    unlinkSync(path);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
