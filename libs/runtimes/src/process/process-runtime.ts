/**
 * Runs tasks as processes of the host, with the runner's user and network; resources are not limited (a tool that the kernel kills for want of
 * memory is recognised: oom-kills.ts).
 *
 * Invariants:
 *  1. What a task starts is gone when its end is told, as far as the containment reaches (containment.ts): what it left in the background is
 *     killed. Stopping a task is TERM to all of it, then KILL.
 *  2. Nothing outlives the runner: `close` kills every launcher, and a watchdog does where the runner is killed.
 *  3. The environment is exactly the spec's, plus PATH of the run's caller, else of the runner, where the spec has none, and the GPUs of a task that has some.
 *  4. Inputs are read-only by their names in the view, where there is one.
 */
import { accessSync, constants, mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { executor } from '@weft/contracts';
import {
  type ExitStatus,
  type Probed,
  type ReadOnlyNames,
  type RunningTask,
  RuntimeFailure,
  type RuntimeTask,
  type StartEvents,
  type TaskRuntime,
} from '../ports.js';
import { afterMs } from '../time-limit.js';
import { findCommand } from './command-lookup.js';
import { CONTAINMENT_LEVELS, type ContainmentLevel } from './containment.js';
import type { Launcher, LauncherExit } from './launcher.js';
import { LauncherPool, type Means } from './launcher-pool.js';
import { type OomKills, oomKillsOfThisProcess } from './oom-kills.js';
import { openFilesBelow } from './open-files.js';
import { ProgramContents } from './program-contents.js';

/** Time between TERM and KILL where a time limit or the end of the runner stops a task. */
const GRACE_MS = 2000;
const KILLED = 137;
const NONE: ReadonlySet<string> = new Set();
/** Of tasks that bring none: what the runner was started with is nobody's wish. */
const DEFAULT_UMASK = 0o022;

export interface ProcessRuntimeOptions {
  /** PATH of tasks whose environment has none; default: the runner's. */
  path?: string;
  /** Idle launchers kept for the next tasks (1 MB each); default: four per core, at least 8. */
  keepIdle?: number;
  /** Default: those that this process may know of. */
  oomKills?: OomKills;
  /** Of this runtime alone: its pipes and its view lie there. Default: a temporary one, which goes with `close`. */
  directory?: string;
  /** Which means of containment may be tried. Default: all. */
  containment?: readonly ContainmentLevel[];
  /** Milliseconds that a launcher may take to start; default: half a minute. */
  startMs?: number;
}

export class ProcessRuntime implements TaskRuntime {
  readonly name = 'process';
  readonly containers = false;
  private readonly path: string;
  private readonly pool: LauncherPool;
  private readonly running = new Set<ProcessTask>();
  private readonly oomKills: OomKills;
  private readonly programs: ProgramContents;
  private readonly ownDirectory: string | undefined;

  constructor(options: ProcessRuntimeOptions = {}) {
    this.path = options.path ?? process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
    this.programs = new ProgramContents(this.path);
    this.oomKills = options.oomKills ?? oomKillsOfThisProcess();
    if (options.directory === undefined) this.ownDirectory = mkdtempSync(join(tmpdir(), 'weft-processes-'));
    this.pool = new LauncherPool({
      path: this.path,
      keepIdle: options.keepIdle ?? Math.max(8, 4 * availableParallelism()),
      directory: options.directory ?? this.ownDirectory!,
      levels: options.containment ?? CONTAINMENT_LEVELS,
      startMs: options.startMs,
    });
  }

  async probe(): Promise<Probed> {
    try {
      const { containment, refused } = await this.pool.means();
      return { version: release(), containment: containment.level, inputs: inputsOf(containment), refused };
    } catch (error) {
      return { version: '', unavailable: error instanceof Error ? error.message : String(error) };
    }
  }

  async readOnlyNames(): Promise<ReadOnlyNames> {
    const { view } = (await this.pool.means()).containment;
    return view ?? { nameOf: () => undefined };
  }

  available(): undefined {
    return undefined;
  }

  contentId({ reference }: executor.Image, searchPath = ''): Promise<string | undefined> {
    return this.programs.idOf(reference, searchPath || undefined);
  }

  async start(task: RuntimeTask, on: StartEvents): Promise<RunningTask> {
    const { spec } = task;
    checkWords(spec.argv, spec.environment);
    const devices: Record<string, string> = task.devices.length > 0 ? { CUDA_VISIBLE_DEVICES: task.devices.join(',') } : {};
    const environment: Record<string, string> & { PATH: string } = { PATH: spec.searchPath || this.path, ...spec.environment, ...devices };
    const [command = ''] = spec.argv;
    const found = findCommand(command, environment.PATH, task.hostWorkDir);
    if ('missing' in found) throw new RuntimeFailure('COMMAND_NOT_FOUND', `${found.missing}${found.inPath ? whosePath(spec) : ''}`, false);
    if (task.hostStdin !== undefined) checkReadable(task.hostStdin);
    const launcher = await this.pool.acquire(task.readOnly);
    const killedBefore = this.oomKills.count() ?? Infinity;
    const exited = launcher.run(
      {
        workDir: task.hostWorkDir,
        environment,
        // `exec -x` would be an option of the shell's.
        umask: spec.umask ?? DEFAULT_UMASK,
        argv: command.startsWith('-') ? [found.path, ...spec.argv.slice(1)] : spec.argv,
        stdin: task.hostStdin,
        stdout: task.hostStdout,
        stderr: task.hostStderr,
        directories: [task.hostWorkDir, task.hostTmpDir],
      },
      on.log,
    );
    const ended = exited.then(({ left, lost, ...exit }: LauncherExit): ExitStatus => {
      if (left === true) throw new RuntimeFailure('INTERNAL', 'a process that the tool started was killed and does not end', true);
      const killed = lost !== undefined || exit.exitCode === KILLED;
      const outOfMemory = killed && (this.oomKills.count() ?? 0) > killedBefore;
      if (lost !== undefined && !outOfMemory)
        throw new RuntimeFailure('RUNTIME_LOST', `the launcher of the task (pid ${launcher.pid}) was ended from outside: ${lost}`, true);
      return { outcome: outOfMemory ? 'out-of-memory' : 'exited', ...exit };
    });
    const process = new ProcessTask(launcher, ended, spec.timeLimitMs);
    this.running.add(process);
    const done = (): void => {
      this.running.delete(process);
      this.pool.release(launcher);
    };
    exited.then(done, done);
    return process;
  }

  /** Where processes are only looked for, one that was not found may still have files open: which. */
  async heldOpen(directory: string): Promise<ReadonlySet<string>> {
    return (await this.pool.means()).containment.level === 'group' ? openFilesBelow(directory) : NONE;
  }

  /** Processes do not outlive the runner. */
  adopt(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await Promise.all([...this.running].map((task) => task.stop(GRACE_MS, 'cancelled')));
    this.pool.close();
    this.oomKills.close();
    if (this.ownDirectory !== undefined) rmSync(this.ownDirectory, { recursive: true, force: true });
  }
}

class ProcessTask implements RunningTask {
  readonly handle: string;
  private stopped: 'cancelled' | 'time-limit' | undefined;
  private ended = false;
  private readonly exit: Promise<ExitStatus>;

  constructor(
    private readonly launcher: Launcher,
    ended: Promise<ExitStatus>,
    timeLimitMs: number,
  ) {
    this.handle = String(launcher.pid);
    const disarm = timeLimitMs > 0 ? afterMs(timeLimitMs, () => void this.stop(GRACE_MS, 'time-limit')) : () => undefined;
    this.exit = ended
      .then(
        (exit) => ({ ...exit, outcome: this.stopped ?? exit.outcome }),
        (error: unknown) => {
          // That it was to end, and has, is the answer.
          if (this.stopped === undefined || (error as { code?: unknown }).code !== 'RUNTIME_LOST') throw error;
          return { outcome: this.stopped, exitCode: KILLED };
        },
      )
      .finally(() => {
        this.ended = true;
        disarm();
      });
    // Whoever waits gets the rejection; where nobody does, it must not end the runner.
    this.exit.catch(() => undefined);
  }

  wait(): Promise<ExitStatus> {
    return this.exit;
  }

  async stop(graceMs: number, reason: 'cancelled' | 'time-limit'): Promise<void> {
    if (this.ended) return;
    this.stopped ??= reason;
    if (graceMs > 0) this.launcher.terminate();
    else this.launcher.kill();
    const kill = setTimeout(() => {
      if (!this.ended) this.launcher.kill();
    }, graceMs);
    // How it ended is for those who wait.
    await this.exit.catch(() => undefined).finally(() => clearTimeout(kill));
  }

  async remove(): Promise<void> {
    await this.stop(0, 'cancelled');
  }
}

function inputsOf({ view }: Means['containment']): 'view' | 'copy' {
  return view === undefined ? 'copy' : 'view';
}

/** A NUL cannot be passed to a program. */
function checkWords(argv: readonly string[], environment: Readonly<Record<string, string>>): void {
  const names = Object.keys(environment);
  const bad = [...argv, ...names, ...Object.values(environment)].find((word) => word.includes('\0'));
  if (bad !== undefined)
    throw new RuntimeFailure('INTERNAL', `a command line or variable holds a NUL character: ${JSON.stringify(bad)}`, false);
  const name = names.find((candidate) => candidate === '' || candidate.includes('='));
  if (name !== undefined) throw new RuntimeFailure('INTERNAL', `'${name}' cannot name an environment variable`, false);
}

/** PATHs differ: a command that one shell finds is not there for who was started from another. */
function whosePath(spec: executor.TaskSpec): string {
  if (spec.environment['PATH'] !== undefined) return ', which the document sets';
  return spec.searchPath === '' ? ", which is the runner's" : ', which the run brought from the shell that submitted it';
}

function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw new RuntimeFailure('INPUT_FILE', `stdin '${path}' does not exist or cannot be read`, false);
  }
  if (statSync(path).isDirectory()) throw new RuntimeFailure('INPUT_FILE', `stdin '${path}' is a directory`, false);
}
