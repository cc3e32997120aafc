/** The archive's place in storage: objects below `<dataUri>archive/`, on disk (flushed) or in a bucket. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ArchiveFiles } from '@weft/run-store';
import { ownedName, type Storage } from '@weft/storage';

export class StorageArchiveFiles implements ArchiveFiles {
  /** @param base URI, ends in '/' */
  constructor(
    private readonly storage: Storage,
    private readonly base: string,
  ) {}

  async write(name: string, bytes: Uint8Array): Promise<void> {
    // An empty object says all by its name; it lies there before what it leads to is flushed.
    if (bytes.length === 0) return this.storage.writeText(this.base + name, '');
    const path = join(tmpdir(), `${ownedName('weft-archive-')}${randomUUID()}`);
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

/** Undefined where there is nothing of that name. */
export async function orAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
