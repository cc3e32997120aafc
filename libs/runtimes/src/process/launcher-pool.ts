/**
 * Launchers, reused while they live.
 *
 * Invariants:
 *  1. A launcher serves one task at a time; as many exist as tasks run at once, and no more than `keepIdle` idle ones are kept.
 *  2. What a task left in the background and does not heed TERM is killed soon after the task has ended.
 *  3. The watchdog knows every launcher's process group: where the runner dies without a word, it kills them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Launcher } from './launcher.js';
import { groupMembers, isGone, leftoversOf } from './leftovers.js';
import { WATCHDOG_SCRIPT } from './shell-script.js';
import { findShell, type Shell } from './shell-traits.js';

/** What a task left in the background has this long to heed TERM. */
const LINGER_MS = 200;
/** Looking for leftovers takes at most one part in so many of the time. */
const SHARE = 50;

export class LauncherPool {
  private readonly idle: Launcher[] = [];
  private readonly all = new Set<Launcher>();
  /** Whose last task may have left something. */
  private readonly unchecked = new Set<Launcher>();
  private checking: NodeJS.Timeout | undefined;
  private pipeDirectory: string | undefined;
  private watchdog: ChildProcess | undefined;
  private shell: Promise<Shell> | undefined;

  constructor(
    private readonly path: string,
    private readonly keepIdle: number,
  ) {}

  /** @throws RuntimeFailure where there is no shell. */
  findShell(): Promise<Shell> {
    this.shell ??= findShell(this.path);
    return this.shell;
  }

  async acquire(): Promise<Launcher> {
    for (let launcher = this.idle.pop(); launcher !== undefined; launcher = this.idle.pop()) if (launcher.alive) return launcher;
    const shell = await this.findShell();
    this.pipeDirectory ??= mkdtempSync(join(tmpdir(), 'weft-pipes-'));
    const launcher = await Launcher.create(shell, this.pipeDirectory, this.path, (dead) => {
      this.all.delete(dead);
      this.tellWatchdog();
    });
    this.all.add(launcher);
    this.tellWatchdog(shell);
    return launcher;
  }

  release(launcher: Launcher): void {
    if (!launcher.alive) return;
    if (this.idle.length >= this.keepIdle) return launcher.retire();
    this.idle.push(launcher);
    this.unchecked.add(launcher);
    this.checkSoon(LINGER_MS);
  }

  close(): void {
    for (const launcher of this.all) launcher.retire();
    clearTimeout(this.checking);
    this.checking = undefined;
    this.unchecked.clear();
    this.all.clear();
    this.idle.length = 0;
    this.watchdog?.stdin?.end();
    this.watchdog = undefined;
    if (this.pipeDirectory !== undefined) rmSync(this.pipeDirectory, { recursive: true, force: true });
    this.pipeDirectory = undefined;
  }

  private checkSoon(delayMs: number): void {
    this.checking ??= setTimeout(() => {
      this.checking = undefined;
      const begun = performance.now();
      this.killLeftovers();
      if (this.unchecked.size > 0) this.checkSoon(Math.max(LINGER_MS, SHARE * (performance.now() - begun)));
    }, delayMs).unref();
  }

  private killLeftovers(): void {
    const suspects = [...this.unchecked].filter((launcher) => launcher.alive);
    this.unchecked.clear();
    const members = groupMembers(new Set(suspects.map(({ pid }) => pid)));
    for (const launcher of suspects) {
      if (members === undefined) {
        // Nothing can be seen: the whole group goes, unless a task runs in it again.
        if (this.idle.includes(launcher)) launcher.retire();
        continue;
      }
      const left = leftoversOf(launcher.pid, members);
      for (const pid of left) kill(pid);
      // It may have started others meanwhile.
      if (left.length > 0) this.unchecked.add(launcher);
    }
  }

  private tellWatchdog(shell?: Shell): void {
    if (this.watchdog === undefined) {
      if (shell === undefined) return;
      const args = ['-c', WATCHDOG_SCRIPT, 'watchdog', this.pipeDirectory ?? ''];
      this.watchdog = spawn(shell.path, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' });
      // A watchdog that was killed from outside is replaced when the next launcher comes.
      this.watchdog.once('exit', () => (this.watchdog = undefined));
      this.watchdog.stdin?.on('error', () => undefined);
    }
    this.watchdog.stdin?.write(`${[...this.all].map((launcher) => launcher.pid).join(' ')}\n`);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
