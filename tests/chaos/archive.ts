/** The archive of the system under test, read where it lies. */
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type ArchiveFiles, FileRunArchive, type RunArchive } from '@weft/run-store';

export function archiveBelow(data: string): RunArchive {
  return new FileRunArchive(new ReadOnlyFiles(join(data, 'archive')));
}

class ReadOnlyFiles implements ArchiveFiles {
  constructor(private readonly root: string) {}

  async open(name: string): Promise<Readable | undefined> {
    const path = join(this.root, name);
    return existsSync(path) ? createReadStream(path) : undefined;
  }

  async list(folder: string): Promise<string[]> {
    const path = join(this.root, folder);
    return existsSync(path) ? readdirSync(path).sort() : [];
  }

  write(name: string): Promise<void> {
    return Promise.reject(new Error(`${name}: the test does not write`));
  }

  remove(name: string): Promise<void> {
    return this.write(name);
  }
}
