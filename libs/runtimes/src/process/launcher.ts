/**
 * A shell, in a session of its own, that runs one task after another: fork and exec by a 1 MB process instead of by Node, whose own `spawn`
 * takes longer the more memory it holds and blocks its event loop meanwhile (measurements: README).
 *
 * Invariants:
 *  1. One task at a time; `run` settles exactly once, also where the shell is killed.
 *  2. When `run` has settled, nothing that the task started is alive, as far as the launcher's containment reaches; or it says what is left.
 *  3. A log stream is read only as fast as its sink accepts.
 *  4. Starting, and dying after a KILL, have a deadline.
 *  5. The shell's own death is never told as the tool's exit: where nobody here asked for it, the task is `lost`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants as fsConstants, mkdirSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type LogSink, RuntimeFailure } from '../ports.js';
import { type Containment, type Enclosure, removeCgroup } from './containment.js';
import { LogTap } from './log-tap.js';
import { MountTable } from './mounts.js';
import { launcherPrologue, parseTimes, type ShellTask, taskScript } from './shell-script.js';
import type { Shell } from './shell-traits.js';
import { childOf, killCgroup, killGroup, removeIfThere, signalGroup, started } from './spawned.js';
import { descendantsOf, killProcess, lastPid, readProcesses, straysOf, type TaskMark, ticksNow } from './strays.js';

/** Generous: only a machine that does not get on at all needs longer. */
const START_MS = 30_000;
/** What was killed and does not die waits for a device or for another host. */
const DEATH_MS = 40_000;
const STRAY_PAUSE_MS = 5;
/** Far longer than an exec takes. */
const EXEC_MS = 2_000;

export interface LauncherExit {
  exitCode: number;
  /** Of the tool and of its children that it waited for. */
  cpuSeconds?: number;
  /** Something of the task is still alive although it was killed. */
  left?: boolean;
  /** The launcher died under the task, by nobody's wish here: how. Nothing is known of the tool, not even whether it began. */
  lost?: string;
}

export type LaunchRequest = Pick<ShellTask, 'workDir' | 'environment' | 'argv' | 'umask' | 'stdin' | 'stdout' | 'stderr'> & {
  /** Directories that no other task has. */
  directories?: readonly string[];
};

export interface LauncherOptions {
  shell: Shell;
  containment: Containment;
  /** For the log pipes; is made where it is missing. */
  pipeDirectory: string;
  path: string;
  onDeath: (launcher: Launcher) => void;
  /** Default: START_MS. */
  startMs?: number;
}

let launchers = 0;

export class Launcher {
  /** What was spawned: leader of the process group. */
  readonly pid: number;
  readonly cgroup: string | undefined;
  private readonly mounts: MountTable | undefined;
  /** Of the shell itself. */
  private readonly shellPid: number;
  private sequence = 0;
  private cpuSeconds = 0;
  private answer = '';
  private current: { sequence: number; mark: TaskMark; settle: (exit: LauncherExit) => void } | undefined;
  private dead: LauncherExit | undefined;
  private dying: NodeJS.Timeout | undefined;
  private tainted = false;
  private readonly marker = `\0weft-${randomBytes(12).toString('hex')}\0`;
  private readonly commands: Writable;
  private readonly taps: { stdout: LogTap; stderr: LogTap };

  private constructor(
    private readonly options: LauncherOptions,
    private readonly enclosure: Enclosure,
    child: ChildProcess,
    pipes: { stdout: Socket; stderr: Socket },
  ) {
    this.pid = child.pid ?? 0;
    this.cgroup = enclosure.cgroup;
    this.shellPid = enclosure.namespaced ? childOf(this.pid) : this.pid;
    if (options.containment.view !== undefined) this.mounts = new MountTable(readFileSync(`/proc/${this.shellPid}/mountinfo`, 'latin1'));
    this.commands = child.stdin as Writable;
    this.taps = { stdout: new LogTap(pipes.stdout, this.marker), stderr: new LogTap(pipes.stderr, this.marker) };
    (child.stdio[3] as Readable).on('data', (chunk: string) => this.hear(chunk));
    // Writing to a shell that was killed: its exit, which follows, says what there is to say.
    this.commands.on('error', () => undefined);
    const die = (code: number | null, signal: NodeJS.Signals | null): void => {
      const exitCode = code ?? 128 + osConstants.signals[signal ?? 'SIGKILL'];
      if (this.dying !== undefined) return this.die({ exitCode });
      this.killRest();
      this.die({ exitCode, lost: signal ?? `exit code ${exitCode}` });
    };
    if (child.exitCode !== null || child.signalCode !== null) die(child.exitCode, child.signalCode);
    else child.once('exit', die);
  }

  /** @throws RuntimeFailure where the shell cannot be started, or does not answer in time. */
  static async create(options: LauncherOptions): Promise<Launcher> {
    const { pipeDirectory, path, startMs = START_MS } = options;
    let enclosure: Enclosure | undefined;
    let child: ChildProcess | undefined;
    const name = `${process.pid}-${++launchers}`;
    const pipes = ['out', 'err'].map((stream) => join(pipeDirectory, `${name}.${stream}`));
    try {
      mkdirSync(pipeDirectory, { recursive: true, mode: 0o700 });
      enclosure = options.containment.enclose();
      const [command = '', ...args] = enclosure.argv;
      child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe', 'pipe'], detached: true, cwd: '/', env: { PATH: path } });
      return await started(child, startMs, (ready) => Launcher.greet(options, enclosure!, child!, pipes, ready));
    } catch (error) {
      if (child?.pid !== undefined) killGroup(child.pid);
      if (enclosure?.cgroup !== undefined) removeCgroup(enclosure.cgroup);
      const why = (error as Error).message;
      throw new RuntimeFailure('RUNTIME_UNAVAILABLE', `cannot start a launcher shell (pipes in ${pipeDirectory}): ${why}`, true);
    } finally {
      for (const pipe of pipes) removeIfThere(pipe);
    }
  }

  private static async greet(
    options: LauncherOptions,
    enclosure: Enclosure,
    child: ChildProcess,
    names: readonly string[],
    ready: Promise<unknown>,
  ): Promise<Launcher> {
    child.stdin?.write(launcherPrologue(names[0]!, names[1]!, enclosure.sweep));
    await ready;
    const [stdout, stderr] = names.map((name) => {
      const fd = openSync(name, fsConstants.O_RDONLY | fsConstants.O_NONBLOCK);
      return new Socket({ fd, readable: true, writable: false });
    });
    const launcher = new Launcher(options, enclosure, child, { stdout: stdout as Socket, stderr: stderr as Socket });
    // The shell's own opens, which need the names, come before it answers the first command.
    const { exitCode } = await launcher.run(
      { workDir: '/', environment: {}, argv: [options.shell.envCommand], umask: 0o022 },
      () => undefined,
    );
    if (exitCode !== 0) throw new Error(`its first command ended with ${exitCode}`);
    return launcher;
  }

  get alive(): boolean {
    return this.dead === undefined && this.dying === undefined;
  }

  /** It may run another task: nothing of an earlier one has had its hands on the log pipes after the task's end. */
  get reusable(): boolean {
    return this.alive && !this.tainted;
  }

  /** Those of the real paths that are not read-only by their names in the view. Empty where there is no view. */
  uncovered(paths: readonly string[]): string[] {
    const { view } = this.options.containment;
    return view === undefined || this.mounts === undefined ? [] : view.uncovered(paths, this.mounts);
  }

  /** Whether the view that belongs to this launcher is there and read-only. */
  get hasView(): boolean {
    const { view } = this.options.containment;
    const mount = view === undefined ? undefined : this.mounts?.mountOf(view.directory);
    return mount !== undefined && mount.point === view?.directory && mount.readOnly;
  }

  /** Resolves when the tool and what it left have ended and its log has been handed over. */
  run(request: LaunchRequest, log: LogSink): Promise<LauncherExit> {
    const sequence = ++this.sequence;
    const mark = this.markOf(request.directories ?? []);
    const exited = new Promise<LauncherExit>((settle) => {
      this.current = { sequence, mark, settle };
      if (this.dead !== undefined) settle(this.dead);
    });
    const drained = [
      request.stdout === undefined ? this.taps.stdout.begin((data) => log('stdout', data)) : undefined,
      request.stderr === undefined ? this.taps.stderr.begin((data) => log('stderr', data)) : undefined,
    ];
    const { envCommand, clean: cleanShell } = this.options.shell;
    const { enter } = this.enclosure;
    this.commands.write(taskScript({ ...request, sequence, marker: this.marker, envCommand, cleanShell, enter }));
    const cleared = this.weak ? exited.then(async (exit) => ({ ...exit, left: await this.clearStrays(mark) })) : exited;
    return Promise.all([cleared, ...drained]).then(([exit]) => exit);
  }

  /** Asks what the task started to end, wherever it has gone; the shell stays. */
  terminate(): void {
    if (!this.alive) return;
    const processes = readProcesses();
    if (processes === undefined) return signalGroup(this.pid, 'SIGTERM');
    const own = [this.pid, this.shellPid];
    const group = processes.filter((entry) => entry.group === this.pid && !own.includes(entry.pid)).map(({ pid }) => pid);
    for (const pid of new Set([...descendantsOf(this.shellPid, processes), ...group])) killProcess(pid, 'SIGTERM');
  }

  /** Kills the shell and what tasks may have left. Its death is told when all of it is gone. */
  kill(): void {
    if (!this.alive) return;
    this.dying = setTimeout(() => this.giveUp(), DEATH_MS).unref();
    // The end of a namespace's first process waits for all others; that of whoever started it would not.
    if (this.enclosure.namespaced) return killProcess(this.shellPid, 'SIGKILL');
    const strays = this.current === undefined ? [] : straysOf(this.current.mark, readProcesses() ?? []).pids;
    killGroup(this.pid);
    for (const pid of strays) killProcess(pid, 'SIGKILL');
    if (this.cgroup !== undefined) killCgroup(this.cgroup);
  }

  /** Whoever ended the shell has not ended what it had started. What is in its namespace goes with it. */
  private killRest(): void {
    killGroup(this.pid);
    if (this.cgroup !== undefined) killCgroup(this.cgroup);
  }

  private giveUp(): void {
    killGroup(this.pid);
    this.die({ exitCode: 128 + osConstants.signals.SIGKILL, left: true });
  }

  private markOf(directories: readonly string[]): TaskMark {
    const launcher = this.shellPid;
    return this.weak
      ? { launcher, since: ticksNow(), lastPid: lastPid(), directories }
      : { launcher, since: 0, lastPid: undefined, directories };
  }

  private get weak(): boolean {
    return this.options.containment.level === 'group';
  }

  /** Whether something is left. */
  private async clearStrays(mark: TaskMark): Promise<boolean> {
    for (let pause = STRAY_PAUSE_MS, waited = 0; waited < DEATH_MS; waited += pause, pause *= 1.2) {
      const { pids, undecided } = straysOf(mark, readProcesses(mark.lastPid) ?? []);
      if (pids.length === 0 && !(undecided && waited < EXEC_MS)) return false;
      this.tainted ||= pids.length > 0;
      for (const pid of pids) killProcess(pid, 'SIGKILL');
      await delay(pause);
    }
    return true;
  }

  private hear(chunk: string): void {
    this.answer += chunk;
    // Three lines per task: "<sequence> <exit code> [left]", the shell's own times, its children's times.
    for (;;) {
      const lines = this.answer.split('\n', 4);
      if (lines.length < 4) return;
      this.answer = this.answer.slice(lines[0]!.length + lines[1]!.length + lines[2]!.length + 3);
      const [sequence = '', exitCode = '', left] = (lines[0] ?? '').split(' ');
      const total = parseTimes(lines[2] ?? '');
      const cpuSeconds = Math.max(0, total - this.cpuSeconds);
      this.cpuSeconds = total;
      if (this.current?.sequence === Number(sequence))
        this.current.settle({ exitCode: Number(exitCode), cpuSeconds, left: left === 'left' });
    }
  }

  private die(exit: LauncherExit): void {
    if (this.dead !== undefined) return;
    this.dead = exit;
    clearTimeout(this.dying);
    this.options.onDeath(this);
    this.current?.settle(exit);
    this.taps.stdout.endSoon();
    this.taps.stderr.endSoon();
    if (this.cgroup !== undefined) removeCgroup(this.cgroup);
  }
}
