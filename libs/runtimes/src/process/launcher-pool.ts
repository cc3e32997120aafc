/**
 * Launchers, reused while they live.
 *
 * Invariants:
 *  1. A launcher serves one task at a time; as many exist as tasks run at once, and no more than `keepIdle` idle ones are kept.
 *  2. The watchdog knows every launcher's process group: where the runner dies without a word, it kills them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Launcher } from './launcher.js';
import { WATCHDOG_SCRIPT } from './shell-script.js';
import { findShell, type Shell } from './shell-traits.js';

export class LauncherPool {
  private readonly idle: Launcher[] = [];
  private readonly all = new Set<Launcher>();
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
    if (this.idle.length < this.keepIdle) this.idle.push(launcher);
    else launcher.retire();
  }

  close(): void {
    for (const launcher of this.all) launcher.retire();
    this.all.clear();
    this.idle.length = 0;
    this.watchdog?.stdin?.end();
    this.watchdog = undefined;
    if (this.pipeDirectory !== undefined) rmSync(this.pipeDirectory, { recursive: true, force: true });
    this.pipeDirectory = undefined;
  }

  private tellWatchdog(shell?: Shell): void {
    if (this.watchdog === undefined) {
      if (shell === undefined) return;
      this.watchdog = spawn(shell.path, ['-c', WATCHDOG_SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' });
      // A watchdog that was killed from outside is replaced when the next launcher comes.
      this.watchdog.once('exit', () => (this.watchdog = undefined));
      this.watchdog.stdin?.on('error', () => undefined);
    }
    this.watchdog.stdin?.write(`${[...this.all].map((launcher) => launcher.pid).join(' ')}\n`);
  }
}
