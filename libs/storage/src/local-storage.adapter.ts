/**
 * Storage for file: URIs, and data: URIs for reading.
 *
 * Invariants:
 *  1. With `allowedRoots`, nothing outside them is looked at, written or removed, also not through a symbolic link: the check is on the
 *     real path.
 *  2. Whatever the roots: nothing of the kernel's file systems and of the stack's own directories (reach.ts). A file is opened without waiting for
 *     anybody, and is one by what was opened.
 *  3. A file's version is its device, inode, size, and times of modification and of change. The last is what nobody can set (`cp -p`, `touch -r` set
 *     the others). Within one tick of the file system's clock it may stay as it is: what changed so lately is `unsure`.
 */
import { withoutEndSlashes } from '@weft/plan';
import { type BigIntStats, constants, createReadStream } from 'node:fs';
import { mkdir, open as openFile, readdir, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { randomBytes } from 'node:crypto';
import { decodeDataUri, isDataUri } from './data-uri.js';
import { fileUriToPath, pathToFileUri } from './file-uri.js';
import { isWithin } from './host-paths.js';
import { type OpenOptions, type PublishOptions, type Storage, StorageError, type StoredEntry, type StoredStat } from './ports.js';
import { refuseInto } from './uri.js';
import { publishTree } from './publish.js';
import { type OwnPaths, Reach } from './reach.js';
import { removeTree } from './remove-tree.js';
import { systemErrorCode, toStorageError } from './system-error.js';

export interface LocalStorageOptions {
  /** Absolute directories below which file: URIs may lie; absent: anywhere. */
  allowedRoots?: readonly string[];
  /** Directories and files of the stack, by any name, and what in them may be given to tasks all the same. */
  own?: OwnPaths;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** Longer than any file system's tick: 2 s on FAT, else at most 1 s, and 10 ms as a rule. */
const TICK_MS = 2_500;

/** What is read of results is asked for by its own name (reach.ts); what is written goes where whoever publishes says. */
type Names = 'own-name' | 'any-name';

export class LocalStorage implements Storage {
  private realRoots: Promise<string[]> | undefined;
  private reach: Promise<Reach> | undefined;

  constructor(private readonly options: LocalStorageOptions = {}) {}

  async stat(uri: string): Promise<StoredStat> {
    if (isDataUri(uri)) return { kind: 'file', size: decodeDataUri(uri).length, version: 'data' };
    return this.guarded(uri, async (path) => this.described(await stat(path, { bigint: true }), uri));
  }

  async readText(uri: string, limit: number): Promise<string> {
    if (isDataUri(uri)) {
      const data = decodeDataUri(uri);
      if (data.length > limit) throw tooLarge(uri.slice(0, 60), data.length, limit);
      return data.toString('utf8');
    }
    return this.guarded(uri, async (path) => {
      const file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const { size } = describe(await file.stat({ bigint: true }), uri, 'file');
        if (size > limit) throw tooLarge(uri, size, limit);
        return await file.readFile('utf8');
      } finally {
        await file.close();
      }
    });
  }

  /** Entries that are neither file nor directory, and dangling links, are an error. */
  async list(uri: string): Promise<StoredEntry[]> {
    if (isDataUri(uri)) throw new StorageError('UNSUPPORTED', 'a data: URI has no entries', uri.slice(0, 60));
    return this.guarded(uri, async (path) => {
      describe(await stat(path, { bigint: true }), uri, 'directory');
      const names = (await readdir(path)).sort((a, b) => (a < b ? -1 : 1));
      return Promise.all(
        names.map(async (name) => {
          const child = pathToFileUri(join(path, name));
          return { name, uri: child, ...(await this.stat(child)) };
        }),
      );
    });
  }

  async open(uri: string, options: OpenOptions = {}): Promise<Readable> {
    const { start = 0, end, version = '' } = options;
    if (isDataUri(uri)) return Readable.from([decodeDataUri(uri).subarray(start, end)]);
    return this.guarded(uri, async (path) => {
      const file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const now = describe(await file.stat({ bigint: true }), uri, 'file');
        if (version !== '' && now.version !== version) throw new StorageError('CHANGED', `${uri} has changed`, uri);
        const last = Math.min(end ?? now.size, now.size) - 1;
        if (last < start) {
          await file.close();
          return Readable.from([]);
        }
        return createReadStream(path, { fd: file, start, end: last });
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  async writeText(uri: string, text: string): Promise<void> {
    await this.changing(uri, async (path) => {
      await mkdir(dirname(path), { recursive: true });
      // An empty file appears whole without another name first, which a crash would leave.
      if (text === '' && (await createdEmpty(path))) return;
      const temporary = `${path}.${randomBytes(6).toString('hex')}.writing`;
      try {
        await writeFile(temporary, text, { flag: 'wx' });
        await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      }
    });
  }

  async publish(hostPath: string, uri: string, options: PublishOptions = {}): Promise<string> {
    await this.changing(uri, (path) => publishTree(hostPath, path, options));
    return '';
  }

  async copyTree(from: string, to: string): Promise<void> {
    refuseInto(from, to);
    const source = await this.resolve(from);
    await this.changing(to, (path) => publishTree(source, path, { check: (real) => this.checkAllowed(real, from), keep: true }));
  }

  async moveTree(from: string, to: string): Promise<void> {
    refuseInto(from, to);
    const source = withoutSlash(await this.resolve(from));
    await this.stat(from);
    await this.changing(to, async (path) => {
      await mkdir(dirname(path), { recursive: true });
      try {
        await rename(source, path);
      } catch (error) {
        // Another file system, or something is there already.
        if (!['EXDEV', 'ENOTEMPTY', 'EEXIST', 'EISDIR', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) throw error;
        await publishTree(source, path, { check: (real) => this.checkAllowed(real, from) });
        await removeTree(source);
      }
    });
  }

  async removeTree(uri: string): Promise<void> {
    const path = withoutSlash(fileUriToPath(uri));
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

  /** The host path of a file: URI to write to, checked against the allowed roots; it need not exist. */
  async resolve(uri: string): Promise<string> {
    return this.guarded(uri, (path) => Promise.resolve(path), 'any-name');
  }

  /** The real path of what a task is to be given; of a directory all that lies in it has been looked at. @throws StorageError */
  async resolveInput(uri: string, kind: StoredStat['kind']): Promise<string> {
    const path = fileUriToPath(uri);
    try {
      // Looked up once: what is checked is what is given, wherever the name leads a moment later.
      const real = await realpath(path).catch(async (error: unknown) => {
        await this.checkAllowed(path, uri);
        throw error;
      });
      await this.checkReal(real, uri);
      const stats = await stat(real, { bigint: true });
      if (describe(stats, uri).kind !== kind) throw new StorageError('UNSUPPORTED', `${uri} is not a ${kind}`, uri);
      if (kind === 'directory') await (await this.reached()).checkTree(real, uri);
      return real;
    } catch (error) {
      throw toStorageError(error, uri);
    }
  }

  /** Of what a link within an input leads to. @throws StorageError */
  async checkReal(real: string, uri: string, names: Names = 'own-name'): Promise<void> {
    const reach = await this.reached();
    await reach.check(real, uri);
    if (names === 'own-name') reach.checkName(real, uri);
    const roots = this.options.allowedRoots;
    if (roots === undefined) return;
    this.realRoots ??= Promise.all(roots.map(async (root) => realpath(root)));
    if ((await this.realRoots).some((root) => isWithin(real, root))) return;
    throw new StorageError('ACCESS', `${uri} is outside the allowed roots (${roots.join(', ')})`, uri);
  }

  private described(stats: BigIntStats, uri: string): StoredStat {
    const found = describe(stats, uri);
    const settled = found.kind === 'directory' || (this.options.now ?? Date.now)() - Number(stats.ctimeMs) > TICK_MS;
    return settled ? found : { ...found, unsure: true };
  }

  private reached(): Promise<Reach> {
    const { closed, open, results } = this.options.own ?? { closed: [], open: [] };
    // What this process may not look at is known by its name.
    const realOf = (path: string): Promise<string> => realOrWouldBe(path).catch(() => path);
    const real = (paths: readonly string[]): Promise<string[]> => Promise.all(paths.map(realOf));
    this.reach ??= Promise.all([real(closed), real(open), results === undefined ? undefined : realOf(results)]).then(
      ([closedReal, openReal, realResults]) =>
        new Reach({ closed: closedReal, open: openReal, results: realResults }, results === undefined ? [] : [results]),
    );
    return this.reach;
  }

  private async changing(uri: string, act: (path: string) => Promise<void>): Promise<void> {
    if (isDataUri(uri)) throw new StorageError('UNSUPPORTED', 'a data: URI cannot be written', uri.slice(0, 60));
    await this.guarded(uri, (path) => act(withoutSlash(path)), 'any-name');
  }

  private async guarded<T>(uri: string, act: (path: string) => Promise<T>, names?: Names): Promise<T> {
    const path = fileUriToPath(uri);
    try {
      await this.checkAllowed(path, uri, names);
      return await act(path);
    } catch (error) {
      throw toStorageError(error, uri);
    }
  }

  private async checkAllowed(path: string, uri: string, names?: Names): Promise<void> {
    await this.checkReal(await realOrWouldBe(path), uri, names);
  }
}

/** Whether a forbidden path exists must not show: what is missing is judged by where it would be. */
async function realOrWouldBe(path: string): Promise<string> {
  return realpath(path).catch(async (error: unknown) => {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return realParent(path);
  });
}

/** False: something of that name is there. */
async function createdEmpty(path: string): Promise<boolean> {
  try {
    await writeFile(path, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function realParent(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  try {
    return join(await realpath(parent), path.slice(parent.length));
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return join(await realParent(parent), path.slice(parent.length));
  }
}

function withoutSlash(path: string): string {
  return withoutEndSlashes(path);
}

function describe(stats: BigIntStats, uri: string, wanted?: StoredStat['kind']): StoredStat {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : undefined;
  if (kind === undefined) throw new StorageError('UNSUPPORTED', `${uri} is neither a file nor a directory`, uri);
  if (wanted !== undefined && kind !== wanted) throw new StorageError('UNSUPPORTED', `${uri} is a ${kind}, not a ${wanted}`, uri);
  if (kind === 'directory') return { kind, size: 0, version: '' };
  return { kind, size: Number(stats.size), version: [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join('-') };
}

function tooLarge(uri: string, size: number, limit: number): StorageError {
  return new StorageError('TOO_LARGE', `${uri} has ${size} bytes; at most ${limit} may be read`, uri);
}
