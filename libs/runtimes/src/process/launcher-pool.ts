/**
 * Launchers, reused while they live.
 *
 * Invariants:
 *  1. A launcher serves one task at a time; as many exist as tasks run at once, and no more than `keepIdle` idle ones are kept.
 *  2. By which means tasks are contained is found out once, by starting a launcher: the strongest that works. Later launchers do it that way
 *     or fail; none is weaker in silence.
 *  3. The watchdog knows every launcher: where the runner dies without a word, it kills them, and their namespaces with them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { RuntimeFailure } from '../ports.js';
import { type Containment, type ContainmentLevel, containments } from './containment.js';
import { WATCHDOG_SCRIPT } from './containment-script.js';
import { Launcher } from './launcher.js';
import { ReadOnlyView } from './read-only-view.js';
import { findShell, type Shell } from './shell-traits.js';
import { removeIfThere } from './spawned.js';

/** Below the runtime's directory. */
const PIPES = '.pipes';
export const VIEW = 'ro';
/** Where the helpers of a launcher are looked for: a PATH of the user's may lead to others first. */
const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

export interface LauncherPoolOptions {
  path: string;
  keepIdle: number;
  /** Of this pool alone. */
  directory: string;
  levels: readonly ContainmentLevel[];
  startMs?: number;
}

/** What was found to work, and why nothing stronger does. */
export interface Means {
  shell: Shell;
  containment: Containment;
  refused: string[];
}

export class LauncherPool {
  private readonly idle: Launcher[] = [];
  private readonly all = new Set<Launcher>();
  private readonly pipeDirectory: string;
  private watchdog: ChildProcess | undefined;
  private found: Promise<Means> | undefined;

  constructor(private readonly options: LauncherPoolOptions) {
    this.pipeDirectory = join(options.directory, PIPES, `${process.pid}-${randomBytes(4).toString('hex')}`);
  }

  /** @throws RuntimeFailure where there is no shell, or no launcher can be started. */
  means(): Promise<Means> {
    this.found ??= this.find().catch((error: unknown) => {
      // The machine may be able to do it later.
      this.found = undefined;
      throw error;
    });
    return this.found;
  }

  /** @param readOnly real paths that the task must be able to see by their names in the view */
  async acquire(readOnly: readonly string[]): Promise<Launcher> {
    const means = await this.means();
    for (let launcher = this.idle.pop(); launcher !== undefined; launcher = this.idle.pop()) {
      if (!launcher.alive) continue;
      if (launcher.uncovered(readOnly).length === 0) return launcher;
      // Something was mounted on the host since.
      launcher.kill();
    }
    const launcher = await this.create(means.shell, means.containment);
    const uncovered = launcher.uncovered(readOnly);
    if (uncovered.length === 0) return launcher;
    means.containment.view?.giveUp(uncovered);
    this.release(launcher);
    throw new RuntimeFailure('RUNTIME_UNAVAILABLE', `'${uncovered[0]}' lies on a mount that cannot be shown read-only`, true);
  }

  release(launcher: Launcher): void {
    if (!launcher.reusable || this.idle.length >= this.options.keepIdle) return launcher.kill();
    this.idle.push(launcher);
  }

  close(): void {
    for (const launcher of this.all) launcher.kill();
    this.all.clear();
    this.idle.length = 0;
    this.watchdog?.stdin?.end();
    this.watchdog = undefined;
    removeIfThere(this.pipeDirectory);
  }

  private async find(): Promise<Means> {
    const { path, directory, levels } = this.options;
    const shell = await findShell(path);
    this.removeOldPipes();
    const refused: string[] = [];
    const view = (): ReadOnlyView => new ReadOnlyView(join(directory, VIEW));
    for (const containment of containments(levels, shell.path, view)) {
      try {
        const launcher = await this.create(shell, containment);
        if (containment.view === undefined || launcher.hasView) {
          this.release(launcher);
          return { shell, containment, refused };
        }
        launcher.kill();
        refused.push(`${containment.level}: no read-only view came about`);
      } catch (error) {
        refused.push(`${containment.level}: ${(error as Error).message}`);
      }
    }
    throw new RuntimeFailure('RUNTIME_UNAVAILABLE', refused.join('; '), true);
  }

  private async create(shell: Shell, containment: Containment): Promise<Launcher> {
    const { path, startMs } = this.options;
    const { pipeDirectory } = this;
    const onDeath = (dead: Launcher): void => {
      if (this.all.delete(dead)) this.tellWatchdog(shell);
    };
    const launcher = await Launcher.create({ shell, containment, pipeDirectory, path: `${SYSTEM_PATH}:${path}`, onDeath, startMs });
    this.all.add(launcher);
    this.tellWatchdog(shell);
    return launcher;
  }

  /** Of lives that ended without a word, their watchdog's included. */
  private removeOldPipes(): void {
    const all = join(this.options.directory, PIPES);
    mkdirSync(all, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(all))
      if (join(all, name) !== this.pipeDirectory) rmSync(join(all, name), { recursive: true, force: true });
  }

  private tellWatchdog(shell: Shell): void {
    if (this.watchdog === undefined) {
      const args = ['-c', WATCHDOG_SCRIPT, 'watchdog', this.pipeDirectory];
      const env = { PATH: `${SYSTEM_PATH}:${this.options.path}` };
      this.watchdog = spawn(shell.path, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/', env });
      // A watchdog that was killed from outside is replaced when the next launcher comes.
      this.watchdog.once('exit', () => (this.watchdog = undefined));
      this.watchdog.stdin?.on('error', () => undefined);
    }
    const marks = [...this.all].flatMap(({ pid, cgroup }) => (cgroup === undefined ? [pid] : [pid, cgroup]));
    this.watchdog.stdin?.write(`${marks.join(' ')}\n`);
  }
}
