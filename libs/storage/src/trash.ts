/**
 * Directories that nobody needs any more, out of the way at once and removed later: a rename costs one system call, removing a tree many,
 * and each may wait for the file system's journal.
 *
 * Invariants:
 *  1. After `discard` returns, the path is free; what was there is below the trash directory, on the same file system.
 *  2. What is in the trash goes: soon after, at the latest in `close`, and whatever an earlier life left with the first removal.
 *  3. By processes of their own: neither the event loop nor its thread pool waits for the disk. A removal that takes long holds up no other, as
 *     long as there are fewer than AT_ONCE of that kind.
 *     Where that many do not end, what gathers is told.
 *  4. What has no permissions is given them and removed; how deep it is nested does not matter.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from './system-error.js';

/** Time in which discarded directories gather, so that one process removes many. */
const GATHER_MS = 300;
/** So many are not waited for any longer, nor removed by one process. */
const BATCH = 500;
/** Processes that remove. */
const AT_ONCE = 4;

export class Trash {
  private readonly life = randomBytes(6).toString('hex');
  private discarded = 0;
  /** Discarded since the last look. */
  private waiting = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly underway = new Set<Promise<void>>();
  private readonly taken = new Set<string>();
  private told = false;

  /** @param directory is made; holds nothing else. */
  constructor(
    private readonly directory: string,
    private readonly onProblem: (text: string, error: unknown) => void,
    private readonly run = inChild,
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
    while (this.underway.size > 0 || this.waiting > 0 || this.timer !== undefined) {
      this.empty();
      await Promise.all(this.underway);
    }
  }

  private arm(): void {
    this.timer ??= setTimeout(() => this.empty(), GATHER_MS).unref();
  }

  private empty(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.underway.size >= AT_ONCE) {
      if (this.waiting >= BATCH) this.tellOnce();
      return;
    }
    this.waiting = 0;
    const names = readdirSync(this.directory).filter((name) => !this.taken.has(name));
    if (names.length === 0) return;
    const batch = names.slice(0, BATCH);
    for (const name of batch) this.taken.add(name);
    const removal: Promise<void> = this.remove(batch)
      .catch((error: unknown) => this.onProblem(`cannot empty ${this.directory}`, error))
      .then(() => {
        this.underway.delete(removal);
        this.told = false;
        if (this.waiting > 0 || names.length > BATCH) this.arm();
      });
    this.underway.add(removal);
    if (names.length > BATCH) this.empty();
  }

  private tellOnce(): void {
    if (this.told) return;
    this.told = true;
    const why = new Error(`${AT_ONCE} removals are under way and do not end`);
    this.onProblem(`${this.waiting} directories wait in ${this.directory} to be removed`, why);
  }

  private async remove(names: string[]): Promise<void> {
    await this.run(this.directory, ['rm', '-rf', '--', ...names]);
    const left = this.leftOf(names);
    if (left.length > 0) {
      // Directories without permissions.
      await this.run(this.directory, ['chmod', '-R', 'u+rwx', '--', ...left]);
      await this.run(this.directory, ['rm', '-rf', '--', ...left]);
    }
    const stuck = this.leftOf(left);
    // What stays is tried again by the next life, and not every time until then.
    for (const name of names) if (!stuck.includes(name)) this.taken.delete(name);
    if (stuck.length > 0) throw new Error(`${stuck.length} of them could not be removed, as ${join(this.directory, stuck[0]!)}`);
  }

  private leftOf(names: readonly string[]): string[] {
    if (names.length === 0) return [];
    const there = new Set(readdirSync(this.directory));
    return names.filter((name) => there.has(name));
  }
}

/** Resolves in any case: whoever calls looks at what is left. */
function inChild(directory: string, [command = '', ...args]: string[]): Promise<void> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: directory }, () => resolve());
  });
}
