/**
 * Directories that nobody needs any more, out of the way at once and removed later: a rename costs one system call, removing a tree many,
 * and each may wait for the file system's journal.
 *
 * Invariants:
 *  1. After `discard` returns, the path is free; what was there is below the trash directory, on the same file system.
 *  2. What is in the trash goes: soon after, at the latest in `close`, and whatever an earlier life left with the first removal.
 *  3. One removal at a time, by a process of its own: neither the event loop nor its thread pool waits for the disk.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './remove-tree.js';
import { systemErrorCode } from './system-error.js';

/** Time in which discarded directories gather, so that one process removes many. */
const GATHER_MS = 300;
/** So many are not waited for any longer. */
const BATCH = 500;

export class Trash {
  private readonly life = randomBytes(6).toString('hex');
  private discarded = 0;
  private waiting = 0;
  private timer: NodeJS.Timeout | undefined;
  private emptying: Promise<void> | undefined;

  /** @param directory is made; holds nothing else. */
  constructor(
    private readonly directory: string,
    private readonly onProblem: (text: string, error: unknown) => void,
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (readdirSync(directory).length > 0) this.arm();
  }

  /** What is not there is not an error. @throws the system's error where it cannot be renamed. */
  discard(path: string): void {
    const to = join(this.directory, `${this.life}-${++this.discarded}`);
    try {
      renameSync(path, to);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOENT') return;
      if (code !== 'EACCES') throw error;
      // A directory without write permission cannot change its parent.
      chmodSync(path, 0o700);
      renameSync(path, to);
    }
    if (++this.waiting >= BATCH) this.empty();
    else this.arm();
  }

  /** Resolves when the trash is empty, or when what is left was reported. */
  async close(): Promise<void> {
    while (this.emptying !== undefined || this.waiting > 0 || this.timer !== undefined) {
      this.empty();
      await this.emptying;
    }
  }

  private arm(): void {
    this.timer ??= setTimeout(() => this.empty(), GATHER_MS).unref();
  }

  private empty(): void {
    if (this.emptying !== undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting = 0;
    const names = readdirSync(this.directory);
    if (names.length === 0) return;
    this.emptying = this.remove(names)
      .catch((error: unknown) => this.onProblem(`cannot empty ${this.directory}`, error))
      .then(() => {
        this.emptying = undefined;
        if (this.waiting > 0) this.arm();
      });
  }

  private async remove(names: string[]): Promise<void> {
    for (let at = 0; at < names.length; at += BATCH) await removeInChild(this.directory, names.slice(at, at + BATCH));
    // What a plain `rm` could not: directories without write permission.
    const tried = new Set(names);
    for (const name of readdirSync(this.directory)) if (tried.has(name)) await removeTree(join(this.directory, name));
  }
}

/** Resolves in any case: whoever calls looks at what is left. */
function removeInChild(directory: string, names: string[]): Promise<void> {
  return new Promise((resolve) => {
    execFile('rm', ['-rf', '--', ...names], { cwd: directory }, () => resolve());
  });
}
