/**
 * One worker thread, and the task it has.
 *
 * Invariants:
 *  1. It has at most one task, and keeps the process alive only while it has one.
 *  2. The limit is processor time, so that a machine which is busy with other things refuses nothing; where the system does not tell it,
 *     wall time. Beyond it, or beyond its memory, the thread is ended: the task is refused, and whoever owns the thread hears that it is gone.
 */
import { readFileSync } from 'node:fs';
import { type Transferable, Worker } from 'node:worker_threads';
import type { FromThread } from './protocol.js';

export interface ThreadLimits {
  /** Milliseconds of processor time for one task. */
  cpuMs: number;
  /** Mebibytes of heap. */
  heapMb: number;
}

/** The errors that work is answered with which is not done. */
export interface Refusals {
  takesTooLong(cpuMs: number): Error;
  takesTooMuch(heapMb: number): Error;
  /** So many wait already: of one owner, or of all. */
  tooManyWait(count: number, whose: 'owner' | 'all'): Error;
  stopping(): Error;
  /** A fault of ours. */
  broken(why: string): Error;
}

export interface Job<Task, Answer> {
  task: Task;
  transfer: readonly Transferable[];
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

interface Owner<Task, Answer> {
  idle(thread: LimitedThread<Task, Answer>): void;
  gone(thread: LimitedThread<Task, Answer>): void;
}

/** A thread that gets no processor at all is given up too. */
const WALL_FACTOR = 12;

/** First number of `schedstat`: nanoseconds on a processor. */
function processorMs(threadPath: string): number | undefined {
  try {
    return Number(readFileSync(`${threadPath}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

export class LimitedThread<Task, Answer> {
  private readonly worker: Worker;
  private job: Job<Task, Answer> | undefined;
  private path: string | undefined;
  private usedBefore = 0;
  private sentAtMs = 0;
  private watchdog: NodeJS.Timeout | undefined;
  private isGone = false;

  constructor(
    url: URL,
    private readonly limits: ThreadLimits,
    private readonly refusals: Refusals,
    private readonly owner: Owner<Task, Answer>,
  ) {
    const resourceLimits = { maxOldGenerationSizeMb: limits.heapMb, maxYoungGenerationSizeMb: 32 };
    this.worker = new Worker(url, { env: {}, execArgv: [], resourceLimits });
    this.worker.unref();
    this.worker.on('message', (message: FromThread<Answer>) => this.receive(message));
    this.worker.on('error', (error: NodeJS.ErrnoException) => this.end(this.refusalFor(error)));
    this.worker.on('exit', (code) => this.end(refusals.broken(`the thread ended with code ${code}`)));
  }

  get busy(): boolean {
    return this.job !== undefined;
  }

  send(job: Job<Task, Answer>): void {
    this.job = job;
    this.usedBefore = this.usedMs();
    this.sentAtMs = performance.now();
    this.worker.ref();
    this.worker.postMessage(job.task, job.transfer);
    this.watch(this.limits.cpuMs);
  }

  async close(): Promise<void> {
    this.end(this.refusals.stopping());
    await this.worker.terminate();
  }

  private receive(message: FromThread<Answer>): void {
    if (message.kind === 'started') {
      this.started(message.threadPath);
      return;
    }
    const { job } = this;
    if (job === undefined || this.isGone) return;
    this.job = undefined;
    clearTimeout(this.watchdog);
    this.worker.unref();
    if (message.kind === 'failed') job.reject(this.refusals.broken(message.message));
    else job.resolve(message.answer);
    this.owner.idle(this);
  }

  /** From now on its own time counts, of which it has had none for a task that came before. */
  private started(path: string | undefined): void {
    const used = path === undefined ? undefined : processorMs(path);
    if (used === undefined) return;
    this.path = path;
    this.usedBefore = used;
  }

  private watch(delayMs: number): void {
    this.watchdog = setTimeout(() => {
      const left = this.limits.cpuMs - (this.usedMs() - this.usedBefore);
      if (left > 0 && performance.now() - this.sentAtMs < WALL_FACTOR * this.limits.cpuMs) return this.watch(Math.max(10, left));
      this.end(this.refusals.takesTooLong(this.limits.cpuMs));
    }, delayMs);
  }

  private usedMs(): number {
    return (this.path === undefined ? undefined : processorMs(this.path)) ?? performance.now();
  }

  private refusalFor(error: NodeJS.ErrnoException): Error {
    const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    return isMemory ? this.refusals.takesTooMuch(this.limits.heapMb) : this.refusals.broken(error.message);
  }

  private end(refusal: Error): void {
    if (this.isGone) return;
    this.isGone = true;
    clearTimeout(this.watchdog);
    const { job } = this;
    this.job = undefined;
    void this.worker.terminate();
    job?.reject(refusal);
    this.owner.gone(this);
  }
}
