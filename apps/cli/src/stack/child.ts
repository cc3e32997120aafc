/**
 * One program of the stack: started, watched, logged to a file, restarted when it dies.
 *
 * Invariants:
 *  1. A death before the program was ever ready is final until somebody asks for it again: its configuration is wrong, and another try would not help.
 *  2. stop() resolves only once the process is gone (TERM, and KILL for one that does not heed it).
 *  3. A log that cannot be written keeps no program from being started, and a directory of logs that is gone is made again. It is written here,
 *     so that it can be rotated while the program runs; a program whose supervisor is slow loses lines, not time (libs/platform, logger.ts).
 *  4. A program lives no longer than its supervisor: its stdin ends with that, and `lifeline` of Redis with that and all services.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Socket } from 'node:net';
import { LogFile, type LogLimits } from './log-file.js';
import { restartDelay } from './restart-policy.js';

const STOP_GRACE_MS = 10_000;
const LOG_TAIL_LINES = 8;
/** Milliseconds until it is looked again whether a program may be started. */
const PREVENTED_MS = 1_000;
/** What a supervised program is asked on stdin, and answers on stdout (libs/platform, supervised.ts). */
const PING = 'ping\n';
const PONG = 'pong';

export interface ProgramSpec {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** What a line on stdout tells: the addresses once the program serves. */
  readyLine(line: string): Record<string, unknown> | undefined;
  /** It is the one whose end waits for that of all others. */
  endsLast?: boolean;
  /** False: there is no use in starting it again now; that it died for want of this does not count. */
  mayStart?(): boolean;
}

export interface ProgramEvents {
  /** Restarted, or died: a line for people. */
  note(text: string): void;
  /** Its state, pid or addresses are others now. */
  changed(program: Program): void;
  /** It died too often, and stays away until it is asked for. */
  gaveUp(program: Program, message: string): void;
}

export type ProgramState = 'starting' | 'ready' | 'silent' | 'failed';

export class Program {
  addresses: Record<string, unknown> = {};
  state: ProgramState = 'starting';
  /** Why it failed. */
  message: string | undefined;
  /** How often somebody asked for it. */
  asked = 1;
  private process: ChildProcess | undefined;
  private deaths: number[] = [];
  private stopping = false;
  private everReady = false;
  private exited: Promise<void> = Promise.resolve();
  private restartTimer: NodeJS.Timeout | undefined;
  private unanswered = 0;
  private readonly log: LogFile;

  constructor(
    readonly spec: ProgramSpec,
    logDirectory: string,
    private readonly events: ProgramEvents,
    /** Held open by this program for as long as it lives. */
    private readonly holds?: () => Socket | undefined,
    logLimits?: LogLimits,
  ) {
    this.log = new LogFile(join(logDirectory, `${spec.name}.log`), logLimits);
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Of a program that ends last: closed when everybody who holds it is gone. */
  get lifeline(): Socket | undefined {
    return (this.process?.stdio[3] as Socket | null | undefined) ?? undefined;
  }

  /** Resolves when the program said that it is ready; rejects with the end of its log when it died before. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { command, args, env, endsLast, name } = this.spec;
      const fourth = endsLast ? 'pipe' : (this.holds?.() ?? 'ignore');
      this.log.make();
      const child = spawn(command, args, { env, stdio: [endsLast ? 'ignore' : 'pipe', 'pipe', 'pipe', fourth] });
      this.process = child;
      this.unanswered = 0;
      child.stdin?.on('error', () => undefined);
      child.stdio[3]?.on('error', () => undefined);
      const lines = createInterface({ input: child.stdout as Readable });
      child.stderr?.on('data', (data: Buffer) => this.log.write(data));
      lines.on('line', (line) => {
        if (line === PONG) return this.answered();
        const addresses = this.spec.readyLine(line);
        if (addresses === undefined) return this.log.write(`${line}\n`);
        this.addresses = addresses;
        this.everReady = true;
        this.enter('ready');
        resolve();
      });
      this.exited = new Promise((gone) => {
        child.on('error', (error) => {
          this.message = `${name} cannot be started: ${error.message}`;
          reject(new Error(this.message));
          gone();
        });
        // Others may hold what it held; nobody waits for them.
        child.on('exit', () => child.stdio[3]?.destroy());
        child.on('close', (code, signal) => {
          this.log.close();
          this.message = this.obituary(code, signal);
          reject(new Error(this.message));
          gone();
          this.died(code, signal);
        });
      });
    });
  }

  /** Tries a program that was given up once more. */
  startAgain(): Promise<void> {
    this.deaths = [];
    this.everReady = false;
    this.asked += 1;
    this.enter('starting');
    return this.start();
  }

  failed(message: string): void {
    this.message = message;
    this.enter('failed');
  }

  /** Asks whether it lives; answers how many times in a row it has not answered. */
  ping(): number {
    if (this.state === 'failed' || !this.everReady || this.process?.exitCode !== null) return 0;
    if (this.unanswered === 0) (this.process.stdin as Writable | null)?.write(PING);
    this.unanswered += 1;
    return this.unanswered - 1;
  }

  answered(): void {
    this.unanswered = 0;
    if (this.state === 'silent') this.enter('ready');
  }

  silent(): void {
    if (this.state === 'ready') this.enter('silent');
  }

  /** At once, without asking it; it is started again. */
  replace(): void {
    this.process?.kill('SIGKILL');
  }

  /** In order; it is started again. */
  restart(): void {
    this.process?.kill('SIGTERM');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restartTimer);
    const child = this.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.exited;
    clearTimeout(kill);
  }

  private died(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.stopping || !this.everReady) return;
    const prevented = this.spec.mayStart?.() === false;
    if (prevented) this.deaths = [];
    this.deaths.push(Date.now());
    const delay = restartDelay(this.deaths);
    if (delay === undefined) {
      const message = `${this.spec.name} keeps dying. ${this.obituary(code, signal)}`;
      this.failed(message);
      this.events.gaveUp(this, message);
      return;
    }
    this.enter('starting');
    this.events.note(`${this.spec.name} ended with ${signal ?? `exit code ${code}`}; starting it again in ${delay} ms`);
    this.startIn(delay);
  }

  private startIn(delayMs: number): void {
    this.restartTimer = setTimeout(() => {
      if (this.spec.mayStart?.() === false) return this.startIn(PREVENTED_MS);
      const started = this.start();
      this.events.changed(this);
      started.then(
        () => this.events.note(`${this.spec.name} is back`),
        // It died again: the next try is on its way, or it was given up.
        (error: Error) => this.events.note(error.message),
      );
    }, delayMs);
  }

  private enter(state: ProgramState): void {
    this.state = state;
    if (state === 'ready') this.message = undefined;
    this.events.changed(this);
  }

  private obituary(code: number | null, signal: NodeJS.Signals | null): string {
    return [
      `${this.spec.name} ended with ${signal ?? `exit code ${code}`}; the end of ${this.log.path}:`,
      ...this.log.tail(LOG_TAIL_LINES),
    ].join('\n  ');
  }
}
