/**
 * Addresses that servers listen on: `host:port`, `[ipv6]:port` or `unix:/abs/path`.
 *
 * Invariants: a socket file is removed only if it is a socket and nobody answers on it.
 */
import { chmod, lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, isAbsolute } from 'node:path';
import { ServiceError } from './service-error.js';

export type ListenAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number };

/** Bytes of sun_path on Linux without its terminating zero. */
const MAX_SOCKET_PATH = 107;

/** Throws INVALID_ARGUMENT for anything that is neither form. */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (!isAbsolute(path)) throw bad(text, 'the path of a unix socket must be absolute');
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) throw bad(text, `a socket path may have at most ${MAX_SOCKET_PATH} bytes`);
    return { kind: 'unix', path };
  }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (!host || port > 65535) throw bad(text, 'expected host:port or unix:/absolute/path');
  return { kind: 'tcp', host, port };
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: string | ListenAddress): boolean {
  const parsed = typeof address === 'string' ? parseListenAddress(address) : address;
  if (parsed.kind === 'unix') return true;
  return parsed.host === 'localhost' || parsed.host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(parsed.host);
}

/** Makes the folder and clears the way for a new socket file. ALREADY_EXISTS: somebody serves there, or the file is no socket. */
export async function prepareSocket(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await lstat(path).catch(absent);
  if (!found) return;
  if (!found.isSocket()) throw new ServiceError('ALREADY_EXISTS', `${path} exists and is not a socket`);
  if (await answers(path)) throw new ServiceError('ALREADY_EXISTS', `another process already serves on unix:${path}`);
  await unlink(path).catch(absent);
}

/** Only the owner may connect. */
export async function protectSocket(path: string): Promise<void> {
  await chmod(path, 0o600);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(new ServiceError('ALREADY_EXISTS', `cannot tell whether unix:${path} is in use: ${error.message}`));
    });
  });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

function bad(text: string, why: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', `bad address "${text}": ${why}`);
}
