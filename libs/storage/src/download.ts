/**
 * One file from another host onto this one's disk, whole.
 *
 * Invariants:
 *  1. A connection that breaks is made again and goes on where it broke, as long as the file is still the same version; where the server
 *     cannot tell versions apart, it begins again.
 *  2. What has not the checksum it should have is fetched once more; what is wrong twice lies there like that.
 *  3. It gives up after TRIES connections in a row that brought nothing, and at once where another try cannot help.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { StorageError, type StorageReader } from './ports.js';

const TRIES = 5;
const FIRST_PAUSE_MS = 200;

export interface Downloaded {
  sha1: string;
  version: string;
  bytes: number;
}

export interface DownloadOptions {
  signal: AbortSignal;
  /** Of the file, as far as it is known; asked for where it is not. */
  version?: string;
  /** "sha1$<hex>"; absent or '': any. */
  checksum?: string;
  /** Resolves when the next connection may be tried; default: pauses that grow from 200 ms. */
  pause?: (failures: number, signal: AbortSignal) => Promise<void>;
}

/** @param path is made, or overwritten @throws StorageError; the system's error; AbortError */
export async function downloadFile(storage: StorageReader, uri: string, path: string, options: DownloadOptions): Promise<Downloaded> {
  const { checksum = '' } = options;
  const first = await once(storage, uri, path, options);
  if (checksum === '' || `sha1$${first.sha1}` === checksum) return first;
  const second = await once(storage, uri, path, { ...options, version: undefined });
  if (`sha1$${second.sha1}` === checksum) return second;
  throw wrongChecksum(uri, second.sha1, checksum);
}

/** What lies at a URI is not what its File value says. */
export function wrongChecksum(uri: string, sha1: string, wanted: string): StorageError {
  return new StorageError('CHECKSUM', `${uri} has the checksum sha1$${sha1}, not ${wanted} as its File value says`, uri);
}

async function once(storage: StorageReader, uri: string, path: string, options: DownloadOptions): Promise<Downloaded> {
  const { signal, pause = backOff } = options;
  const file = await open(path, 'w');
  try {
    let part = fresh(options.version ?? (await storage.stat(uri)).version);
    for (let failures = 0; ;) {
      const before = part.bytes;
      try {
        await append(storage, uri, file, part, signal);
        await file.datasync();
        return { sha1: part.hash.digest('hex'), version: part.version, bytes: part.bytes };
      } catch (error) {
        signal.throwIfAborted();
        if (!mayGoOn(error)) throw error;
        failures = part.bytes > before ? 1 : failures + 1;
        if (failures >= TRIES) throw error;
        if (error.code === 'CHANGED' || part.version === '') {
          part = fresh((await storage.stat(uri)).version);
          await file.truncate(0);
        }
      }
      await pause(failures, signal);
    }
  } finally {
    await file.close();
  }
}

interface Part {
  version: string;
  bytes: number;
  hash: Hash;
}

function fresh(version: string): Part {
  return { version, bytes: 0, hash: createHash('sha1') };
}

async function append(storage: StorageReader, uri: string, file: FileHandle, part: Part, signal: AbortSignal): Promise<void> {
  const stream = await storage.open(uri, { start: part.bytes, version: part.version });
  const abort = (): void => void stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      await file.write(bytes, 0, bytes.length, part.bytes);
      part.hash.update(bytes);
      part.bytes += bytes.length;
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Structural: errors cross realms. */
function mayGoOn(error: unknown): error is StorageError {
  const code = error instanceof Object && 'name' in error && error.name === 'StorageError' && 'code' in error ? error.code : undefined;
  return code === 'IO' || code === 'CHANGED';
}

function backOff(failures: number, signal: AbortSignal): Promise<void> {
  return delay(FIRST_PAUSE_MS * 2 ** (failures - 1), undefined, { signal });
}
