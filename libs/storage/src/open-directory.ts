/**
 * Opening what lies in a directory of somebody else's: a task's, which may rename, replace and link whatever is in it.
 *
 * Invariants:
 *  1. Nothing is found by a path that has more than one name in it: a directory is a handle, and a name is looked up in it. No symbolic link is
 *     followed, neither at the end of a path nor on its way.
 *  2. Getting hold of an entry does nothing to it (O_PATH): a named pipe does not block, a device is not touched. Only what has turned out to be a
 *     regular file is opened for reading, by its handle, without waiting.
 *  3. What a handle is of stays what it is, whatever takes its name.
 *
 * Handles are used through /proc/self/fd, which is this program's own and in no task's hands: Node has no openat(2).
 */
import {
  chmodSync,
  closeSync,
  constants,
  type Dir,
  type Dirent,
  fstatSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { systemErrorCode } from './system-error.js';

/** Linux; Node does not name it. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY } = constants;
/** Entries that are read from the kernel together. */
const READ_AHEAD = 128;

export type Nature = 'a file' | 'a directory' | 'a symbolic link' | 'a named pipe (FIFO)' | 'a socket' | 'a device';

/** Something else than what was to be opened: it stays that, however often it is tried. */
export class NotPlainError extends Error {
  override readonly name = 'NotPlainError';
  constructor(
    readonly nature: Nature,
    readonly entry: string,
  ) {
    super(`'${entry}' is ${nature}`);
  }
}

export function natureOf(stats: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>): Nature {
  if (stats.isFile()) return 'a file';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a named pipe (FIFO)';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** A file or directory that is held. */
export class OpenEntry {
  private reading: number | undefined;
  readonly stats: Stats;

  /** @param path by which it was found: the handle of its directory and its name. It leads here as long as nobody has replaced it. */
  constructor(
    private readonly fd: number,
    readonly path: string,
    private readonly parent: OpenDirectory | undefined,
  ) {
    this.stats = fstatSync(fd);
  }

  /** A path that leads to this very file as long as it is held, for calls that take no handle. They follow it as they would a link. */
  get handlePath(): string {
    return `/proc/self/fd/${this.fd}`;
  }

  /** Up to `length` bytes from `position`. @throws NotPlainError where it is no regular file; the system's error */
  read(position: number, length: number): Buffer {
    this.requireFile();
    this.reading ??= openSync(this.handlePath, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, this.stats.size - position)));
    let done = 0;
    while (done < buffer.length) {
      const read = readSync(this.reading, buffer, done, buffer.length - done, position + done);
      if (read === 0) break;
      done += read;
    }
    return buffer.subarray(0, done);
  }

  /** @throws NotPlainError */
  requireFile(): this {
    if (!this.stats.isFile()) throw new NotPlainError(natureOf(this.stats), this.path.slice(this.path.lastIndexOf('/') + 1));
    return this;
  }

  close(): void {
    closeSync(this.fd);
    if (this.reading !== undefined) closeSync(this.reading);
    this.reading = undefined;
    this.parent?.close();
  }
}

export interface Listed {
  /** As text; of what is no UTF-8, the nearest text. */
  name: string;
  utf8: boolean;
  entry: Dirent;
}

export class OpenDirectory {
  private constructor(private readonly fd: number) {}

  /** @param follow whether the last name may be a link: it is nobody's to replace. @throws the system's error; ENOTDIR where it is a link */
  static at(path: string, { follow = false } = {}): OpenDirectory {
    return new OpenDirectory(openSync(path, O_PATH | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW)));
  }

  /** The path of an entry, for calls that do not follow a link at the end of it (lstat, link, rename, unlink, mkdir). */
  pathOf(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new Error(`'${name}' is no name`);
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  /** @throws NotPlainError; the system's error */
  directory(name: string): OpenDirectory {
    try {
      return OpenDirectory.at(this.pathOf(name));
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOTDIR' && systemErrorCode(error) !== 'ELOOP') throw error;
      throw new NotPlainError(natureOf(this.stats(name)), name);
    }
  }

  /** Makes it where it is missing. @throws as `directory` */
  madeDirectory(name: string): OpenDirectory {
    try {
      mkdirSync(this.pathOf(name));
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    return this.directory(name);
  }

  /** Of the entry itself. @throws the system's error */
  stats(name: string): Stats {
    return lstatSync(this.pathOf(name));
  }

  linkTarget(name: string): string {
    return readlinkSync(this.pathOf(name));
  }

  /** Gives its owner, who must be this process's user, all permissions. @throws the system's error */
  permit(): void {
    chmodSync(`/proc/self/fd/${this.fd}`, (fstatSync(this.fd).mode & 0o7777) | 0o700);
  }

  /** What is in it, in no order, read as it is asked for. @throws the system's error */
  *entries(): Generator<Listed, void> {
    // Names as the kernel has them: text would show two of them as one.
    const encoding = 'buffer' as BufferEncoding;
    const directory: Dir = opendirSync(`/proc/self/fd/${this.fd}`, { encoding, bufferSize: READ_AHEAD });
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        const bytes = entry.name as unknown as Buffer;
        yield { name: bytes.toString('utf8'), utf8: isUtf8(bytes), entry };
      }
    } finally {
      directory.closeSync();
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

/**
 * What lies below a directory. @param below '' for the directory itself, else '/name/name'
 * @param follow whether the directory's own path may end in a link
 * @throws NotPlainError where something on the way is no directory; the system's error
 */
export function openBeneath(root: string, below: string, { follow = false } = {}): OpenEntry {
  const names = namesIn(below);
  const last = names.pop();
  if (last === undefined) return new OpenEntry(openSync(root, O_PATH | (follow ? 0 : O_NOFOLLOW)), root, undefined);
  const directory = descended(root, names, { follow });
  try {
    const path = directory.pathOf(last);
    return new OpenEntry(openSync(path, O_PATH | O_NOFOLLOW), path, directory);
  } catch (error) {
    directory.close();
    throw error;
  }
}

/** The same for a directory that is to be looked into. @param make what is missing on the way, and it. @throws as `openBeneath` */
export function openDirectoryBeneath(root: string, below: string, options: { follow?: boolean; make?: boolean } = {}): OpenDirectory {
  return descended(root, namesIn(below), options);
}

function namesIn(below: string): string[] {
  return below.split('/').filter((name) => name !== '');
}

function descended(root: string, names: readonly string[], { follow = false, make = false }): OpenDirectory {
  let directory = OpenDirectory.at(root, { follow });
  for (const name of names) {
    try {
      const next = make ? directory.madeDirectory(name) : directory.directory(name);
      directory.close();
      directory = next;
    } catch (error) {
      directory.close();
      throw error;
    }
  }
  return directory;
}
