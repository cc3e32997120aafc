/**
 * Folders as the delivery works in them, and the file system calls that it makes (a port, so that tests can let any of them fail).
 *
 * Invariants:
 *  1. A folder is entered only where it is a real directory, never through a link.
 *  2. On Linux a folder that was entered stays the one that was entered, whatever is renamed meanwhile: names are looked up below its open handle.
 */
import { constants, existsSync } from 'node:fs';
import type * as files from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

export type FileOps = Pick<
  typeof files,
  | 'access'
  | 'chmod'
  | 'copyFile'
  | 'link'
  | 'lstat'
  | 'mkdir'
  | 'open'
  | 'opendir'
  | 'readFile'
  | 'readdir'
  | 'realpath'
  | 'rename'
  | 'rmdir'
  | 'stat'
  | 'unlink'
  | 'writeFile'
>;

/** Linux: opened as a place only, which takes no right to list it. Node has no name for it. */
const O_PATH = 0o10000000;
const BELOW_HANDLES = process.platform === 'linux' && existsSync('/proc/self/fd');
const OPEN_FOLDER = constants.O_DIRECTORY | constants.O_NOFOLLOW | (BELOW_HANDLES ? O_PATH : constants.O_RDONLY);

/** Which file or folder it is, by whatever name it is reached. */
export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

/** A way to a file that is open which no rename can lead elsewhere; its path where the system has none. */
export function wayTo(handle: FileHandle, path: string): string {
  return BELOW_HANDLES ? `/proc/self/fd/${handle.fd}` : path;
}

export class Folder {
  private constructor(
    private readonly ops: FileOps,
    private readonly handle: FileHandle,
    /** For messages; where the system has no way through handles, also for the calls. */
    readonly path: string,
    readonly identity: string,
  ) {}

  /** @throws ENOTDIR (ELOOP) where it is a link or no directory */
  static async open(ops: FileOps, path: string, shown = path): Promise<Folder> {
    const handle = await ops.open(path, OPEN_FOLDER);
    try {
      return new Folder(ops, handle, shown, identityOf(await handle.stat({ bigint: true })));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The path to use for what has this name in the folder. */
  at(name: string): string {
    return BELOW_HANDLES ? `/proc/self/fd/${this.handle.fd}/${name}` : join(this.path, name);
  }

  enter(name: string): Promise<Folder> {
    return Folder.open(this.ops, this.at(name), join(this.path, name));
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Does something in a folder some names further down, and closes what it opened on the way. */
export async function within<T>(from: Folder, names: readonly string[], work: (folder: Folder) => Promise<T>): Promise<T> {
  const [name, ...rest] = names;
  if (name === undefined) return work(from);
  const folder = await from.enter(name);
  try {
    return await within(folder, rest, work);
  } finally {
    await folder.close();
  }
}
