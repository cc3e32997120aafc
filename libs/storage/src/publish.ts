/**
 * Makes a file, or a tree, of a host durable at its published place.
 *
 * Invariants:
 *  1. The published name appears whole or not at all: by link, by rename, or by copy to a temporary name and rename.
 *  2. Bytes are copied only across file systems (and there by reflink where the file system can).
 *  3. Publishing the same file twice is not an error: attempts publish below a prefix of their own, so whatever bears the name is it.
 *  4. A hard link leaves the sandbox as it was, so that a request repeated after a crash finds the file again.
 *  5. Where what is published is to stay as it is (`publishSettled`), it is a file that nobody can have under another name or open for writing:
 *     else it is copied. It is nobody's to write, and gives nobody another's rights.
 *
 * fsync: off unless asked for. A result is lost to a power cut only if it is younger than the kernel's write-back (about 30 s), although
 * the log that names it is not. With `fsync` a file costs one flush of the disk.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { copyFile, mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OpenEntry } from './open-directory.js';
import type { PublishOptions } from './ports.js';
import { systemErrorCode } from './system-error.js';

/** Files up to this size are copied synchronously: cheaper than a thread-pool round trip. */
const SMALL_BYTES = 64 * 1024;

/** @throws the system's error (ENOSPC, EACCES, …). */
export async function publishFile(
  from: string,
  to: string,
  options: PublishOptions & Pick<PublishTreeOptions, 'keep'> = {},
): Promise<void> {
  const move = (): Promise<void> => linkOrMove(from, to, options.keep === true);
  try {
    await move();
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || statSync(from, { throwIfNoEntry: false }) === undefined) throw error;
    makeDirectory(dirname(to));
    await move();
  }
  if (options.fsync === true) {
    flush(to);
    flush(dirname(to));
  }
}

export interface SettledOptions extends PublishOptions {
  /** Nobody has it open. */
  closed: boolean;
  /** Names that the caller has given it himself. */
  ownLinks: number;
}

/** A file that others made and may have kept a way to. @throws the system's error */
export async function publishSettled(from: OpenEntry, to: string, { closed, ownLinks, ...options }: SettledOptions): Promise<void> {
  const { stats } = from.requireFile();
  const mine = stats.uid === (process.getuid?.() ?? stats.uid);
  const there = stats.nlink > 1 ? lstatSync(to, { throwIfNoEntry: false }) : undefined;
  const done = there !== undefined && isSame(there, stats);
  if (closed && mine && (done || stats.nlink === 1 + ownLinks)) {
    const mode = settledMode(stats.mode);
    if ((stats.mode & 0o7777) !== mode) chmodSync(from.handlePath, mode);
    if (!done) await linkOrCopyHeld(from, to, mode);
  } else {
    makeDirectory(dirname(to));
    await copyThenRename(from.handlePath, to, settledMode(stats.mode));
  }
  if (options.fsync === true) {
    flush(to);
    flush(dirname(to));
  }
}

/** By its name, as there is no other way without a copy; and looked at afterwards, because the name may have become another file's. */
async function linkOrCopyHeld(from: OpenEntry, to: string, mode: number): Promise<void> {
  const copy = (): Promise<void> => copyThenRename(from.handlePath, to, mode);
  const named = (act: (path: string, to: string) => void): boolean => {
    act(from.path, to);
    return isSame(lstatSync(to), from.stats);
  };
  try {
    if (!named(linkSync)) await copy();
  } catch (error) {
    switch (systemErrorCode(error)) {
      case 'ENOENT':
        // The name is gone: its file is held.
        if (existsAt(dirname(to))) return copy();
        makeDirectory(dirname(to));
        return linkOrCopyHeld(from, to, mode);
      case 'EEXIST':
      case 'EXDEV':
        return copy();
      case 'EPERM':
      case 'EMLINK':
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
        if (!named(renameSync)) await copy();
        return;
      default:
        throw error;
    }
  }
}

function isSame(a: Pick<Stats, 'dev' | 'ino'>, b: Pick<Stats, 'dev' | 'ino'>): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

function existsAt(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function settledMode(mode: number): number {
  return (mode & 0o555) | 0o400;
}

export interface PublishTreeOptions extends PublishOptions {
  /** Told of every real path that is read; rejects where it may not be. */
  check?: (realPath: string) => Promise<void>;
  /** What cannot be linked (a file with 65,000 links, a file system without) is copied, not moved: `from` is somebody's. */
  keep?: boolean;
}

/**
 * A file as `publishFile` does, or a directory with everything below it. Links are followed: what arrives are files and directories.
 * @throws the system's error; ELOOP where a link leads to a directory above itself.
 */
export async function publishTree(from: string, to: string, options: PublishTreeOptions = {}, above: string[] = []): Promise<void> {
  const source = await realpath(from);
  await options.check?.(source);
  if (!(await stat(source)).isDirectory()) return publishFile(source, to, options);
  if (above.includes(source)) throw Object.assign(new Error(`${from} leads to a directory above itself`), { code: 'ELOOP' });
  await mkdir(to, { recursive: true });
  for (const name of await readdir(source)) await publishTree(join(source, name), join(to, name), options, [...above, source]);
}

/** One call where only the last directory is missing, which is the rule. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' && systemErrorCode(error) !== 'EEXIST') throw error;
    mkdirSync(path, { recursive: true });
  }
}

async function linkOrMove(from: string, to: string, keep: boolean): Promise<void> {
  try {
    linkSync(from, to);
  } catch (error) {
    switch (systemErrorCode(error)) {
      case 'EEXIST':
        return replaceUnlessSame(from, to);
      case 'EXDEV':
        return copyThenRename(from, to);
      case 'EPERM':
      case 'EMLINK':
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
        return keep ? copyThenRename(from, to) : renameSync(from, to);
      default:
        throw error;
    }
  }
}

async function replaceUnlessSame(from: string, to: string): Promise<void> {
  const [source, target] = [statSync(from), statSync(to)];
  if (source.dev === target.dev && source.ino === target.ino) return;
  await copyThenRename(from, to);
}

async function copyThenRename(from: string, to: string, mode?: number): Promise<void> {
  const temporary = `${to}.${process.pid}.publishing`;
  try {
    if (statSync(from).size <= SMALL_BYTES) copyFileSync(from, temporary, constants.COPYFILE_FICLONE);
    else await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    if (mode !== undefined) chmodSync(temporary, mode);
    renameSync(temporary, to);
  } catch (error) {
    if (statSync(temporary, { throwIfNoEntry: false }) !== undefined) unlinkSync(temporary);
    throw error;
  }
}

function flush(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
