/**
 * One program of the system under test, and its supervisor: what died is started again after the delay that the schedule says.
 *
 * Invariants:
 *  1. Nothing but the schedule ends a program: a death that nobody asked for is recorded, and so is a TERM that was not heeded.
 *  2. After `end()` the process is gone and nothing starts it again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const DEFAULT_RESTART_MS = 300;
/** A program that has not ended so long after TERM does not heed it. */
const TERM_LIMIT_MS = 30_000;

export interface ServiceSpec {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** The line on stdout that says that it serves. */
  ready: RegExp;
}

export interface ServiceNotes {
  note(text: string): void;
  /** What must not happen. */
  problem(text: string): void;
}

export class Service {
  /** Words before the command, from the next start on; what they name becomes the command by exec, so that its process id is the service's. */
  before: readonly string[] = [];
  private child: ChildProcess | undefined;
  private serving = false;
  /** Delay before the next start, where a death was asked for. */
  private asked: number | undefined;
  private terminating: NodeJS.Timeout | undefined;
  private restart: NodeJS.Timeout | undefined;
  private resume: NodeJS.Timeout | undefined;
  private ending = false;
  private everServed = false;
  private waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(
    readonly spec: ServiceSpec,
    private readonly logs: string,
    private readonly notes: ServiceNotes,
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get isServing(): boolean {
    return this.serving;
  }

  /** Resolves once it serves, however often it has to be started until then; rejects where its very first start fails. */
  untilServing(): Promise<void> {
    return this.serving ? Promise.resolve() : new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  start(): void {
    const log = openSync(join(this.logs, `${this.spec.name}.log`), 'a');
    const [command = this.spec.command, ...args] = [...this.before, this.spec.command, ...this.spec.args];
    const child = spawn(command, args, { env: this.spec.env, stdio: ['ignore', 'pipe', log] });
    this.child = child;
    this.asked = undefined;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (!this.spec.ready.test(line)) return;
      this.serving = this.everServed = true;
      for (const { resolve } of this.waiting.splice(0)) resolve();
    });
    child.once('error', (error) => this.notes.problem(`${this.spec.name} cannot be started: ${error.message}`));
    child.once('close', (code, signal) => {
      closeSync(log);
      this.died(code, signal);
    });
  }

  /** False: it is not there to be killed. */
  kill(restartMs: number): boolean {
    if (this.child === undefined || this.asked !== undefined) return false;
    this.asked = restartMs;
    return this.child.kill('SIGKILL');
  }

  /** TERM: it ends in order, with exit code 0. */
  terminate(restartMs: number): boolean {
    const { child } = this;
    if (child === undefined || this.asked !== undefined || this.resume !== undefined || !this.serving) return false;
    this.asked = restartMs;
    this.terminating = setTimeout(() => {
      this.notes.problem(`${this.spec.name} (pid ${child.pid}) did not end within ${TERM_LIMIT_MS / 1000} s of SIGTERM`);
      child.kill('SIGKILL');
    }, TERM_LIMIT_MS);
    return child.kill('SIGTERM');
  }

  /** Stops it where it stands, for a while. */
  pause(forMs: number): boolean {
    if (this.child === undefined || this.asked !== undefined || this.resume !== undefined) return false;
    this.resume = setTimeout(() => this.goOn(), forMs);
    return this.child.kill('SIGSTOP');
  }

  goOn(): void {
    clearTimeout(this.resume);
    this.resume = undefined;
    this.child?.kill('SIGCONT');
  }

  /** The end of the test: in order where it can, else by force. */
  async end(): Promise<void> {
    this.ending = true;
    clearTimeout(this.restart);
    this.goOn();
    const { child } = this;
    if (child === undefined) return;
    const gone = new Promise((done) => child.once('close', done));
    if (!this.terminate(0)) child.kill('SIGKILL');
    await gone;
  }

  /** From a handler that cannot wait. */
  destroy(): void {
    this.ending = true;
    this.asked ??= 0;
    this.child?.kill('SIGKILL');
  }

  private died(code: number | null, signal: NodeJS.Signals | null): void {
    const { serving, asked } = this;
    const how = signal ?? `exit code ${code}`;
    const ordered = this.terminating !== undefined;
    clearTimeout(this.terminating);
    clearTimeout(this.resume);
    this.terminating = this.resume = this.child = undefined;
    this.serving = false;
    if (asked === undefined && serving) this.notes.problem(`${this.spec.name} died by itself: ${how}`);
    else if (asked === undefined) this.notes.note(`${this.spec.name} ended before it served: ${how}`);
    else if (ordered && signal !== 'SIGKILL' && code !== 0) this.notes.problem(`${this.spec.name} ended with ${how} after SIGTERM`);
    if (!this.everServed) {
      const tail = readFileSync(join(this.logs, `${this.spec.name}.log`), 'utf8').slice(-2000);
      for (const { reject } of this.waiting.splice(0)) reject(new Error(`${this.spec.name} cannot start: ${how}\n${tail}`));
    } else if (!this.ending) this.restart = setTimeout(() => this.start(), asked ?? DEFAULT_RESTART_MS);
  }
}
