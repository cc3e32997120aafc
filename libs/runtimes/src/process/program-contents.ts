/**
 * What the programs and files that command lines name have in them: their SHA-256, computed once per state of the file.
 *
 * Invariants:
 *  1. What does not name a regular file that may be read has no content, whatever it is.
 *  2. A state of a file has its time of change, which nobody can set; of one that is too young to tell two changes apart nothing is remembered.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { findCommand } from './command-lookup.js';

/** Larger files stand for themselves: their path and state. */
const HASHED_BYTES = 256 * 1024 * 1024;
const REMEMBERED = 1_000;
/** Longer than any file system's tick. */
const TICK_MS = 2_500;

export class ProgramContents {
  private readonly known = new Map<string, { state: string; id: Promise<string> }>();

  /** @param path PATH of tasks that bring none */
  constructor(
    private readonly path: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** "sha256:…" of the file at an absolute path, or of the command found in the task's PATH. */
  async idOf(reference: string, path = this.path): Promise<string | undefined> {
    const file = this.locate(reference, path);
    const stats = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false, bigint: true });
    if (file === undefined || stats === undefined || !stats.isFile()) return undefined;
    const state = [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ');
    const settled = this.now() - Number(stats.ctimeMs) > TICK_MS;
    const remembered = this.known.get(file);
    if (remembered?.state === state) return remembered.id;
    const large = stats.size > HASHED_BYTES;
    // Nothing is the same as it, also not itself a moment later.
    if (large && !settled) return digest(randomUUID());
    const id = large ? Promise.resolve(digest(`${file} ${state}`)) : contentOf(file);
    if (this.known.size >= REMEMBERED) this.known.clear();
    if (settled) this.known.set(file, { state, id });
    try {
      return await id;
    } catch {
      // Not to be read: a program may be executable all the same.
      this.known.delete(file);
      return undefined;
    }
  }

  private locate(reference: string, path: string): string | undefined {
    if (isAbsolute(reference)) return reference;
    if (reference.includes('/')) return undefined;
    const found = findCommand(reference, path, '/');
    return 'path' in found ? found.path : undefined;
  }
}

async function contentOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), hash);
  return `sha256:${hash.digest('hex')}`;
}

function digest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
