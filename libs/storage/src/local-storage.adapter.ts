/**
 * Storage for file: URIs, and data: URIs for reading.
 *
 * Invariants:
 *  1. With `allowedRoots`, nothing outside them is looked at or removed, also not through a symbolic link: the check is on the real path.
 *  2. Every error is a StorageError whose message names the URI.
 */
import { createReadStream, type Stats } from 'node:fs';
import { open as openFile, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { decodeDataUri, isDataUri } from './data-uri.js';
import { fileUriToPath, pathToFileUri } from './file-uri.js';
import { StorageError, type StorageReader, type StorageWriter, type StoredEntry } from './ports.js';
import { removeTree } from './remove-tree.js';
import { systemErrorCode, toStorageError } from './system-error.js';

export interface LocalStorageOptions {
  /** Absolute directories below which file: URIs may lie; absent: anywhere. */
  allowedRoots?: readonly string[];
}

type Kind = StoredEntry['kind'];

export class LocalStorage implements StorageReader, StorageWriter {
  private realRoots: Promise<string[]> | undefined;

  constructor(private readonly options: LocalStorageOptions = {}) {}

  async stat(uri: string): Promise<{ kind: Kind; size: number }> {
    if (isDataUri(uri)) return { kind: 'file', size: decodeDataUri(uri).length };
    return this.guarded(uri, async (path) => describe(await stat(path), uri));
  }

  /** UTF-8. @throws StorageError TOO_LARGE where the file has more than `limit` bytes. */
  async readText(uri: string, limit: number): Promise<string> {
    if (isDataUri(uri)) {
      const data = decodeDataUri(uri);
      if (data.length > limit) throw tooLarge(uri.slice(0, 60), data.length, limit);
      return data.toString('utf8');
    }
    return this.guarded(uri, async (path) => {
      const file = await openFile(path, 'r');
      try {
        const { size } = describe(await file.stat(), uri, 'file');
        if (size > limit) throw tooLarge(uri, size, limit);
        return await file.readFile('utf8');
      } finally {
        await file.close();
      }
    });
  }

  /** Sorted by name (code units). Entries that are neither file nor directory, and dangling links, are an error. */
  async list(uri: string): Promise<StoredEntry[]> {
    if (isDataUri(uri)) throw new StorageError('UNSUPPORTED', 'a data: URI has no entries', uri.slice(0, 60));
    return this.guarded(uri, async (path) => {
      describe(await stat(path), uri, 'directory');
      const names = (await readdir(path)).sort((a, b) => (a < b ? -1 : 1));
      return Promise.all(
        names.map(async (name) => {
          const child = pathToFileUri(join(path, name));
          return { name, uri: child, ...(await this.stat(child)) };
        }),
      );
    });
  }

  async open(uri: string): Promise<Readable> {
    if (isDataUri(uri)) return Readable.from([decodeDataUri(uri)]);
    return this.guarded(uri, async (path) => {
      describe(await stat(path), uri, 'file');
      return createReadStream(path);
    });
  }

  /** Removes the file or directory and everything below it; what is not there is not an error. */
  async removeTree(uri: string): Promise<void> {
    const path = fileUriToPath(uri).replace(/\/+$/, '');
    if (path === '') throw new StorageError('ACCESS', 'the root directory may not be removed', uri);
    try {
      // The parent is checked, not the path: a link below a root is removed as a link, wherever it points.
      await this.checkAllowed(dirname(path), uri);
      await removeTree(path);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return;
      throw toStorageError(error, uri);
    }
  }

  /** The host path of a file: URI, checked against the allowed roots. */
  async resolve(uri: string): Promise<string> {
    return this.guarded(uri, (path) => Promise.resolve(path));
  }

  private async guarded<T>(uri: string, act: (path: string) => Promise<T>): Promise<T> {
    const path = fileUriToPath(uri);
    try {
      await this.checkAllowed(path, uri);
      return await act(path);
    } catch (error) {
      throw toStorageError(error, uri);
    }
  }

  private async checkAllowed(path: string, uri: string): Promise<void> {
    const roots = this.options.allowedRoots;
    if (roots === undefined) return;
    this.realRoots ??= Promise.all(roots.map(async (root) => realpath(root)));
    const real = await realpath(path).catch(async (error: unknown) => {
      // Whether a forbidden path exists must not show: what is missing is judged by where it would be.
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      return realParent(path);
    });
    if ((await this.realRoots).some((root) => real === root || real.startsWith(root.endsWith(sep) ? root : root + sep))) return;
    throw new StorageError('ACCESS', `${uri} is outside the allowed roots (${roots.join(', ')})`, uri);
  }
}

async function realParent(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  try {
    return join(await realpath(parent), path.slice(parent.length));
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return realParent(parent);
  }
}

function describe(stats: Stats, uri: string, wanted?: Kind): { kind: Kind; size: number } {
  const kind: Kind | undefined = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : undefined;
  if (kind === undefined) throw new StorageError('UNSUPPORTED', `${uri} is neither a file nor a directory`, uri);
  if (wanted !== undefined && kind !== wanted) throw new StorageError('UNSUPPORTED', `${uri} is a ${kind}, not a ${wanted}`, uri);
  return { kind, size: kind === 'file' ? stats.size : 0 };
}

function tooLarge(uri: string, size: number, limit: number): StorageError {
  return new StorageError('TOO_LARGE', `${uri} has ${size} bytes; at most ${limit} may be read`, uri);
}
