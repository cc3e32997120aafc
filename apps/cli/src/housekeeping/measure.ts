/**
 * What a directory takes on disk.
 *
 * Invariants:
 *  1. No link is followed, no other file system entered, nothing but names and sizes read.
 *  2. A file with several names is counted at the first of them that one Measure sees, and not again.
 *  3. The event loop turns; what vanishes meanwhile counts nothing, and what may not be read is counted as unread.
 */
import type { Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Taken {
  bytes: number;
  files: number;
}

const BLOCK = 512;
const GONE = new Set(['ENOENT', 'ENOTDIR']);

export class Measure {
  private readonly seen = new Set<string>();
  /** Directories that may not be read. */
  unread = 0;

  /** @param except names directly below `path` that are not looked at */
  async of(path: string, except: readonly string[] = []): Promise<Taken> {
    const top = await this.look(path);
    const taken = { bytes: 0, files: 0 };
    if (top === undefined) return taken;
    this.count(top, taken);
    if (top.isDirectory()) await this.below(path, top.dev, taken, except);
    return taken;
  }

  private async below(path: string, device: number, taken: Taken, except: readonly string[] = []): Promise<void> {
    const open = [{ path, except }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const skip = next.except;
      try {
        for await (const entry of await opendir(next.path)) {
          if (skip.includes(entry.name)) continue;
          const child = join(next.path, entry.name);
          const status = await this.look(child);
          if (status === undefined || status.dev !== device) continue;
          this.count(status, taken);
          if (status.isDirectory()) open.push({ path: child, except: [] });
        }
      } catch (error) {
        if (!GONE.has((error as NodeJS.ErrnoException).code ?? '')) this.unread += 1;
      }
    }
  }

  private count(status: Stats, taken: Taken): void {
    if (!status.isDirectory()) {
      if (status.nlink > 1) {
        const id = `${status.dev}:${status.ino}`;
        if (this.seen.has(id)) return;
        this.seen.add(id);
      }
      taken.files += 1;
    }
    taken.bytes += status.blocks * BLOCK;
  }

  private async look(path: string): Promise<Stats | undefined> {
    try {
      return await lstat(path);
    } catch (error) {
      if (!GONE.has((error as NodeJS.ErrnoException).code ?? '')) this.unread += 1;
      return undefined;
    }
  }
}
