/** A place for archived objects in memory. */
import { Readable } from 'node:stream';
import type { ArchiveFiles } from '@weft/run-store';

export class FakeArchiveFiles implements ArchiveFiles {
  readonly objects = new Map<string, Buffer>();
  /** How many calls there were, by operation. */
  readonly calls = { write: 0, open: 0, list: 0, remove: 0 };

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.calls.write += 1;
    this.objects.set(name, Buffer.from(bytes));
  }

  async open(name: string): Promise<Readable | undefined> {
    this.calls.open += 1;
    const bytes = this.objects.get(name);
    return bytes && Readable.from([bytes]);
  }

  async list(folder: string): Promise<string[]> {
    this.calls.list += 1;
    const below = [...this.objects.keys()].filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length));
    return [...new Set(below.map((name) => name.split('/')[0] ?? ''))].sort();
  }

  async remove(name: string): Promise<void> {
    this.calls.remove += 1;
    this.objects.delete(name);
  }
}
