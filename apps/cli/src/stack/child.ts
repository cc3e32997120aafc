/**
 * One program of the stack: started, watched, logged to a file, restarted when it dies.
 *
 * Invariants:
 *  1. A death before the program was ever ready is final: its configuration is wrong, and another try would not help.
 *  2. stop() resolves only once the process is gone (TERM, and KILL for one that does not heed it).
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { logTail } from './log-tail.js';
import { restartDelay } from './restart-policy.js';

const STOP_GRACE_MS = 10_000;
const LOG_TAIL_LINES = 8;

export interface ProgramSpec {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** What a line on stdout tells: the addresses once the program serves. */
  readyLine(line: string): Record<string, unknown> | undefined;
}

export interface ProgramEvents {
  /** Restarted, or died: a line for people. */
  note(text: string): void;
  /** It was started again and has another process id now. */
  restarted?(): void;
  /** It died too often: the stack cannot go on. */
  gaveUp(message: string): void;
}

export class Program {
  addresses: Record<string, unknown> = {};
  private process: ChildProcessByStdio<null, Readable, null> | undefined;
  private readonly deaths: number[] = [];
  private stopping = false;
  private everReady = false;
  private exited: Promise<void> = Promise.resolve();
  private restartTimer: NodeJS.Timeout | undefined;
  private readonly logFile: string;

  constructor(
    readonly spec: ProgramSpec,
    logDirectory: string,
    private readonly events: ProgramEvents,
  ) {
    this.logFile = join(logDirectory, `${spec.name}.log`);
    if (existsSync(this.logFile)) renameSync(this.logFile, `${this.logFile}.1`);
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Resolves when the program said that it is ready; rejects with the end of its log when it died before. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const log = openSync(this.logFile, 'a', 0o600);
      const stdio: ['ignore', 'pipe', number] = ['ignore', 'pipe', log];
      const child = spawn(this.spec.command, this.spec.args, { env: this.spec.env, stdio }) as ChildProcessByStdio<null, Readable, null>;
      this.process = child;
      const lines = createInterface({ input: child.stdout });
      lines.on('close', () => closeSync(log));
      lines.on('line', (line) => {
        const addresses = this.spec.readyLine(line);
        if (addresses === undefined) return void writeSync(log, `${line}\n`);
        this.addresses = addresses;
        this.everReady = true;
        resolve();
      });
      this.exited = new Promise((gone) => {
        child.on('error', (error) => {
          reject(new Error(`${this.spec.name} cannot be started: ${error.message}`));
          gone();
        });
        child.on('close', (code, signal) => {
          reject(new Error(this.obituary(code, signal)));
          gone();
          this.died(code, signal);
        });
      });
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restartTimer);
    const child = this.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.exited;
    clearTimeout(kill);
  }

  private died(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.stopping || !this.everReady) return;
    this.deaths.push(Date.now());
    const delay = restartDelay(this.deaths);
    if (delay === undefined) {
      this.events.gaveUp(`${this.spec.name} keeps dying. ${this.obituary(code, signal)}`);
      return;
    }
    this.events.note(`${this.spec.name} ended with ${signal ?? `exit code ${code}`}; starting it again in ${delay} ms`);
    this.restartTimer = setTimeout(() => {
      const started = this.start();
      this.events.restarted?.();
      started.then(
        () => this.events.note(`${this.spec.name} is back`),
        (error: Error) => this.events.note(error.message),
      );
    }, delay);
  }

  private obituary(code: number | null, signal: NodeJS.Signals | null): string {
    return [
      `${this.spec.name} ended with ${signal ?? `exit code ${code}`}; the end of ${this.logFile}:`,
      ...logTail(this.logFile, LOG_TAIL_LINES),
    ].join('\n  ');
  }
}
