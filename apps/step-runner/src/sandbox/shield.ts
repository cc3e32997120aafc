/**
 * A read-only input for a process that could write through its name, because this machine gives it no read-only view: a copy, which shares its
 * blocks where the file system can do that, or is made where it is small; else a link, and the check after the tool (input-guard.ts).
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { mkdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '@weft/storage';
import type { CheckReal } from './copy-input.js';

/** What is larger is not copied byte by byte for a tool that, as a rule, changes nothing. */
export const COPIED_BYTES = 64 * 1024 ** 2;
/** A directory with more entries is linked. */
export const COPIED_ENTRIES = 1000;

interface Entry {
  from: string;
  to: string;
  directory: boolean;
}

/** @throws the system's error */
export async function placeShielded(from: string, to: string, check: CheckReal): Promise<void> {
  const entries: Entry[] = [];
  if (!(await gather({ from, to, entries, sum: { bytes: 0 }, check }, []))) return linkUnlessCloned(from, to);
  for (const { from: source, to: target, directory } of entries) {
    if (directory) mkdirSync(target);
    else await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
  for (const { from: source, to: target, directory } of entries.reverse()) {
    const { mode, atime, mtime } = statSync(source);
    if (!directory) chmodSync(target, mode & 0o555);
    utimesSync(target, atime, mtime);
  }
}

interface Gathering {
  from: string;
  to: string;
  entries: Entry[];
  sum: { bytes: number };
  check: CheckReal;
}

/** False: too much. Links are followed, where an input might lie: what is behind one is not to be changed either. */
async function gather(one: Gathering, above: readonly string[]): Promise<boolean> {
  const { from, to, entries, sum, check } = one;
  const stats = statSync(from);
  entries.push({ from, to, directory: stats.isDirectory() });
  if (stats.isFile()) sum.bytes += stats.size;
  if (sum.bytes > COPIED_BYTES || entries.length > COPIED_ENTRIES) return false;
  if (!stats.isDirectory()) return stats.isFile();
  const real = realpathSync.native(from);
  if (above.includes(real)) return false;
  for (const name of readdirSync(from)) {
    const child = join(from, name);
    if (lstatSync(child).isSymbolicLink()) {
      // What leads nowhere cannot be copied, and must be there all the same.
      if (statSync(child, { throwIfNoEntry: false }) === undefined) return false;
      await check(realpathSync.native(child));
    }
    if (!(await gather({ ...one, from: child, to: join(to, name) }, [...above, real]))) return false;
  }
  return true;
}

function linkUnlessCloned(from: string, to: string): void {
  if (statSync(from).isFile()) {
    try {
      copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
      const { mode, atime, mtime } = statSync(from);
      chmodSync(to, mode & 0o555);
      return utimesSync(to, atime, mtime);
    } catch (error) {
      // The file system cannot share blocks, or not with that of the source.
      if (!['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS'].includes(systemErrorCode(error) ?? '')) throw error;
      rmSync(to, { force: true });
    }
  }
  symlinkSync(from, to);
}
