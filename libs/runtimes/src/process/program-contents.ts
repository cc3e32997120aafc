/**
 * What the programs and files that command lines name have in them: their SHA-256, computed once per state of the file.
 *
 * Invariant: what does not name a regular file that may be read has no content, whatever it is.
 */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { findCommand } from './command-lookup.js';

/** Larger files stand for themselves: their path, size and modification time. */
const HASHED_BYTES = 256 * 1024 * 1024;
const REMEMBERED = 1_000;

export class ProgramContents {
  private readonly known = new Map<string, { state: string; id: Promise<string> }>();

  /** @param path PATH of tasks that bring none */
  constructor(private readonly path: string) {}

  /** "sha256:…" of the file at an absolute path, or of the command found in the task's PATH. */
  async idOf(reference: string, path = this.path): Promise<string | undefined> {
    const file = this.locate(reference, path);
    const stats = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false, bigint: true });
    if (file === undefined || stats === undefined || !stats.isFile()) return undefined;
    const state = `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
    const remembered = this.known.get(file);
    if (remembered?.state === state) return remembered.id;
    const id = stats.size > HASHED_BYTES ? Promise.resolve(digest(`${file} ${stats.size} ${stats.mtimeNs}`)) : contentOf(file);
    if (this.known.size >= REMEMBERED) this.known.clear();
    this.known.set(file, { state, id });
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
