/**
 * One part of the checks while it runs: the processes that it starts, and its end.
 *
 * Invariants:
 *  1. Each process leads a group of its own. A part that is ended (its limit, a signal) has its groups ended: TERM, and KILL for who does not heed it.
 *  2. A part that was ended starts nothing more, and is over whatever it still waits for.
 *  3. What detached itself from its group is found by the part's folder, in which everything lies that it makes (TMPDIR), and ended too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { endAll, processesNaming } from './strays.js';

/** Between TERM and KILL: longer than a supervisor takes to stop its services one after the other. */
const GRACE_MS = 20_000;

export interface PartOptions {
  root: string;
  /** Everything that it makes lies below. */
  folder: string;
  limitMs: number;
  say(line: string): void;
}

export class PartRun {
  /** Why it was ended before its time. */
  ended: string | undefined;
  private readonly running = new Set<ChildProcess>();
  private readonly over = new AbortController();

  constructor(private readonly options: PartOptions) {}

  /** What `work` comes to; undefined where the part was ended, and everything of it is gone then. */
  async within<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { limitMs, folder } = this.options;
    const limit = setTimeout(() => this.end(`not done after ${limitMs / 60_000} min, which is its limit`), limitMs);
    const ended = new Promise<undefined>((resolve) => this.over.signal.addEventListener('abort', () => resolve(undefined), { once: true }));
    try {
      if (this.ended !== undefined) return undefined;
      const working = work();
      working.catch(() => undefined);
      return await Promise.race([working, ended]);
    } finally {
      clearTimeout(limit);
      await this.endGroups();
      await endAll(() => processesNaming(folder), GRACE_MS);
    }
  }

  /** Its program answers with success. Output goes to stderr: stdout carries the result alone. */
  run(program: string, args: string[], env: Record<string, string> = {}): Promise<boolean> {
    if (this.ended !== undefined) return Promise.resolve(false);
    return new Promise((done, fail) => {
      const child = spawn(program, args, {
        cwd: this.options.root,
        detached: true,
        stdio: ['ignore', 2, 2],
        env: { ...process.env, TMPDIR: this.options.folder, ...env },
      });
      this.running.add(child);
      child.once('error', (error) => {
        this.running.delete(child);
        fail(error);
      });
      child.once('exit', (code) => {
        this.running.delete(child);
        done(code === 0 && this.ended === undefined);
      });
    });
  }

  end(why: string): void {
    if (this.ended !== undefined) return;
    this.ended = why;
    this.options.say(why);
    this.over.abort();
  }

  private async endGroups(): Promise<void> {
    const gone = [...this.running].map((child) => new Promise((done) => child.once('exit', done)));
    for (const child of this.running) signalGroup(child, 'SIGTERM');
    if (gone.length === 0) return;
    const limit = new AbortController();
    await Promise.race([Promise.all(gone), delay(GRACE_MS, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
    for (const child of this.running) signalGroup(child, 'SIGKILL');
    await Promise.all(gone);
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
