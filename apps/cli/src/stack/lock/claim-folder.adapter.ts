/**
 * ClaimFolder over a directory.
 *
 * Invariants:
 *  1. A file is created for one caller only: it is written beside and linked to its name. Over NFS the answer to link(2) may get lost and the
 *     repeated call fail; the count of links of the file beside tells what became of it. Where there are no links, O_EXCL does it.
 *  2. Every look opens the file anew: that is when NFS asks its server.
 *  3. A beat is written over the one before and takes no room: it goes on when the disk is full.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClaimFolder } from './claims.js';

const NO_LINKS = ['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'];

export function claimFolder(directory: string): ClaimFolder {
  return {
    names: () => readdir(directory).catch(unlessMissing<string[]>([])),
    read: (name) => readFile(join(directory, name), 'utf8').catch(unlessMissing<string | undefined>(undefined)),
    create: async (name, content) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return create(directory, join(directory, name), content);
    },
    overwrite: async (name, content) => {
      const path = join(directory, name);
      const file = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return open(path, 'wx', 0o600);
      });
      // close() is when NFS hands it to the server, and when it fails there.
      await file.write(content, 0).finally(() => file.close());
    },
    remove: (name) => rm(join(directory, name), { force: true }),
  };
}

async function create(directory: string, path: string, content: string): Promise<boolean> {
  const beside = join(directory, `.${randomBytes(8).toString('hex')}`);
  try {
    await writeFile(beside, content, { mode: 0o600, flag: 'wx' });
    const refused = await link(beside, path).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error,
    );
    if (refused === undefined || (await stat(beside)).nlink === 2) return true;
    if (refused.code === 'EEXIST') return false;
    if (!NO_LINKS.includes(refused.code ?? '')) throw refused;
    return await writeFile(path, content, { mode: 0o600, flag: 'wx' }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
  } finally {
    await rm(beside, { force: true });
  }
}

function unlessMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
