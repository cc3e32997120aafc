/**
 * A shell, in a session of its own, that runs one task after another: fork and exec by a 1 MB process instead of by Node, whose own `spawn`
 * takes longer the more memory it holds and blocks its event loop meanwhile (measurements: README).
 *
 * Invariants:
 *  1. One task at a time; `run` settles exactly once, also where the shell is killed.
 *  2. The shell and everything its tasks start form one process group, whose id is the shell's pid.
 *  3. A log stream is read only as fast as its sink accepts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants as fsConstants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type LogSink, RuntimeFailure } from '../ports.js';
import { LogTap } from './log-tap.js';
import { launcherPrologue, parseTimes, type ShellTask, taskScript } from './shell-script.js';
import type { Shell } from './shell-traits.js';
import { isGone } from './leftovers.js';

export interface LauncherExit {
  exitCode: number;
  /** Of the tool and of its children that it waited for. */
  cpuSeconds?: number;
}

export type LaunchRequest = Pick<ShellTask, 'workDir' | 'environment' | 'argv' | 'umask' | 'stdin' | 'stdout' | 'stderr'>;

let launchers = 0;

export class Launcher {
  readonly pid: number;
  private sequence = 0;
  private cpuSeconds = 0;
  private answer = '';
  private current: { sequence: number; settle: (exit: LauncherExit) => void; exit?: LauncherExit } | undefined;
  private dead: { exitCode: number } | undefined;
  private readonly marker = `\0weft-${randomBytes(12).toString('hex')}\0`;
  private readonly commands: Writable;
  private readonly taps: { stdout: LogTap; stderr: LogTap };

  private constructor(
    private readonly shell: Shell,
    private readonly child: ChildProcess,
    control: Readable,
    pipes: { stdout: Socket; stderr: Socket },
    onDeath: (launcher: Launcher) => void,
  ) {
    this.pid = child.pid ?? 0;
    this.commands = child.stdin as Writable;
    this.taps = { stdout: new LogTap(pipes.stdout, this.marker), stderr: new LogTap(pipes.stderr, this.marker) };
    control.on('data', (chunk: string) => this.hear(chunk));
    // Writing to a shell that was killed: its exit, which follows, says what there is to say.
    this.commands.on('error', () => undefined);
    const die = (code: number | null, signal: NodeJS.Signals | null): void => {
      onDeath(this);
      this.die({ exitCode: code ?? 128 + osConstants.signals[signal ?? 'SIGKILL'] });
    };
    if (child.exitCode !== null || child.signalCode !== null) die(child.exitCode, child.signalCode);
    else child.once('exit', die);
  }

  /** @throws RuntimeFailure where the shell cannot be started. */
  static async create(shell: Shell, pipeDirectory: string, path: string, onDeath: (launcher: Launcher) => void): Promise<Launcher> {
    const child = spawn(shell.path, [], { stdio: ['pipe', 'ignore', 'ignore', 'pipe'], detached: true, cwd: '/', env: { PATH: path } });
    const control = child.stdio[3] as Readable;
    control.setEncoding('utf8');
    const names = ['out', 'err'].map((stream) => join(pipeDirectory, `${process.pid}-${++launchers}.${stream}`));
    const [outPipe = '', errPipe = ''] = names;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new RuntimeFailure('RUNTIME_UNAVAILABLE', `cannot start a launcher shell: ${why}`, true));
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code) => fail(`it exited with ${code}`));
      control.once('data', () => resolve());
      child.stdin?.write(launcherPrologue(outPipe, errPipe));
    });
    child.removeAllListeners('exit');
    const [stdout, stderr] = names.map((name) => {
      const fd = openSync(name, fsConstants.O_RDONLY | fsConstants.O_NONBLOCK);
      return new Socket({ fd, readable: true, writable: false });
    });
    const launcher = new Launcher(shell, child, control, { stdout: stdout as Socket, stderr: stderr as Socket }, onDeath);
    // The shell's own opens, which need the names, come before it answers the first command.
    await launcher.run({ workDir: '/', environment: {}, argv: [shell.envCommand], umask: 0o022 }, () => undefined);
    for (const name of names) unlinkSync(name);
    return launcher;
  }

  get alive(): boolean {
    return this.dead === undefined;
  }

  /** Resolves when the tool has ended and its log has been handed over. */
  run(request: LaunchRequest, log: LogSink): Promise<LauncherExit> {
    const sequence = ++this.sequence;
    const exited = new Promise<LauncherExit>((settle) => {
      this.current = { sequence, settle };
      if (this.dead !== undefined) settle(this.dead);
    });
    const drained = [
      request.stdout === undefined ? this.taps.stdout.begin((data) => log('stdout', data)) : undefined,
      request.stderr === undefined ? this.taps.stderr.begin((data) => log('stderr', data)) : undefined,
    ];
    const { envCommand, clean: cleanShell } = this.shell;
    this.commands.write(taskScript({ ...request, sequence, marker: this.marker, envCommand, cleanShell }));
    return Promise.all([exited, ...drained]).then(([exit]) => exit);
  }

  /** To the shell's whole process group. A group that is gone is not an error. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.dead !== undefined) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** Kills the group, with what tasks may have left in it. */
  retire(): void {
    this.signal('SIGKILL');
  }

  private hear(chunk: string): void {
    this.answer += chunk;
    // Three lines per task: "<sequence> <exit code>", the shell's own times, its children's times.
    for (;;) {
      const lines = this.answer.split('\n', 4);
      if (lines.length < 4) return;
      this.answer = this.answer.slice(lines[0]!.length + lines[1]!.length + lines[2]!.length + 3);
      const [sequence, exitCode] = (lines[0] ?? '').split(' ').map(Number);
      const total = parseTimes(lines[2] ?? '');
      const cpuSeconds = Math.max(0, total - this.cpuSeconds);
      this.cpuSeconds = total;
      if (this.current?.sequence === sequence) this.current?.settle({ exitCode: exitCode ?? 0, cpuSeconds });
    }
  }

  private die(exit: { exitCode: number }): void {
    this.dead = exit;
    this.current?.settle(exit);
    this.taps.stdout.endSoon();
    this.taps.stderr.endSoon();
  }
}
