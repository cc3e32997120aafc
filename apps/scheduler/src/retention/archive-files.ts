/** The archive's place in storage: objects below `<dataUri>archive/`, on disk (flushed) or in a bucket. */
import { randomUUID } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ArchiveFiles } from '@weft/run-store';
import type { Storage } from '@weft/storage';

/** Files on their way to storage: `<this><pid>-<any>` in the system's temporary directory. */
const STAGED = 'weft-archive-';

export class StorageArchiveFiles implements ArchiveFiles {
  /** @param base URI, ends in '/' */
  constructor(
    private readonly storage: Storage,
    private readonly base: string,
  ) {}

  async write(name: string, bytes: Uint8Array): Promise<void> {
    // An empty object says all by its name; it lies there before what it leads to is flushed.
    if (bytes.length === 0) return this.storage.writeText(this.base + name, '');
    const path = join(tmpdir(), `${STAGED}${process.pid}-${randomUUID()}`);
    try {
      await writeFile(path, bytes, { mode: 0o600 });
      await this.storage.publish(path, this.base + name, { fsync: true });
    } finally {
      await rm(path, { force: true });
    }
  }

  open(name: string): Promise<Readable | undefined> {
    return orAbsent(this.storage.open(this.base + name));
  }

  async list(folder: string): Promise<string[]> {
    return ((await orAbsent(this.storage.list(this.base + folder))) ?? []).map(({ name }) => name);
  }

  async remove(name: string): Promise<void> {
    await this.storage.removeTree(this.base + name);
  }
}

/** Removes what programs had staged that are gone. */
export async function removeStaged(): Promise<void> {
  const startedMs = Date.now() - process.uptime() * 1000;
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${STAGED}(\\d+)-`).exec(name)?.[1]);
    if (!(pid > 0) || (pid !== process.pid && isAlive(pid))) continue;
    const path = join(tmpdir(), name);
    // Our own number may have been another's before.
    const found = await stat(path).catch(() => undefined);
    if (found && found.mtimeMs < startedMs) await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's is alive too.
    return (error as { code?: unknown }).code === 'EPERM';
  }
}

/** Undefined where there is nothing of that name. */
export async function orAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
