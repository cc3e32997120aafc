/**
 * A copy of an input that the task may change.
 *
 * Invariants:
 *  1. Links are followed, as a reader would, but only to where an input might lie: every one is asked for. One that leads nowhere stays a link.
 *  2. What is copied is a file by what was opened; it is opened without following a link and without waiting.
 *  3. The copy is the task's to write, and gives nobody another's rights.
 */
import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, open, readdir, readlink, realpath, rename, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeFailure } from '@weft/runtimes';
import { systemErrorCode } from '@weft/storage';

/** Links may make much of little. */
const COPIED_ENTRIES_LIMIT = 1_000_000;

/** @throws where nothing that lies there may be an input. @param real without links */
export type CheckReal = (real: string) => Promise<void>;

/** @throws RuntimeFailure INPUT_FILE; the system's error; what `check` throws */
export async function copyWritable(from: string, to: string, check: CheckReal): Promise<void> {
  await new Copying(from, check).copy(await realpath(from), to, []);
}

class Copying {
  private entries = 0;

  constructor(
    private readonly top: string,
    private readonly check: CheckReal,
  ) {}

  async copy(real: string, to: string, above: readonly string[]): Promise<void> {
    this.entries += 1;
    if (this.entries > COPIED_ENTRIES_LIMIT)
      throw this.failure(`has more than ${COPIED_ENTRIES_LIMIT} entries, with what its links lead to`);
    const stats = await lstat(real);
    if (!stats.isDirectory()) return this.copyOne(real, to);
    if (above.includes(real)) throw this.failure(`holds a link that leads to a directory above itself`);
    await mkdir(to);
    for (const name of await readdir(real)) await this.copyEntry(join(real, name), join(to, name), [...above, real]);
    await settle(to, stats, 0o700);
  }

  private async copyEntry(path: string, to: string, above: readonly string[]): Promise<void> {
    if (!(await lstat(path)).isSymbolicLink()) return this.copy(path, to, above);
    const real = await realpath(path).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemErrorCode(error) ?? '')) return undefined;
      throw error;
    });
    if (real === undefined) return symlink(await readlink(path), to);
    await this.check(real);
    return this.copy(real, to, above);
  }

  private async copyOne(real: string, to: string): Promise<void> {
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw this.failure(`holds ${real.slice(real.lastIndexOf('/') + 1)}, which is neither a file nor a directory`);
      // By what was opened, and by shared blocks where the file system can do that.
      await copyFile(`/proc/self/fd/${file.fd}`, to, constants.COPYFILE_FICLONE);
      await settle(to, stats, 0o200);
    } finally {
      await file.close();
    }
  }

  private failure(why: string): RuntimeFailure {
    return new RuntimeFailure('INPUT_FILE', `input ${this.top} cannot be copied: it ${why}`, false);
  }
}

async function settle(to: string, stats: Stats, more: number): Promise<void> {
  await chmod(to, (stats.mode & 0o777) | more);
  await utimes(to, stats.atime, stats.mtime);
}

/** Of a file in place that has other names: an earlier result, or another run's. They keep their bytes, and this name gets its own. */
export async function separate(path: string): Promise<void> {
  const stats = await lstat(path);
  if (!stats.isFile() || stats.nlink === 1) return;
  const temporary = `${path}.weft-separate`;
  await copyFile(path, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  await settle(temporary, stats, 0o200);
  await rename(temporary, path);
}
