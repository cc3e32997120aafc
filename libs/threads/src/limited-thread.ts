/**
 * One worker thread that loads documents, and the task it has.
 *
 * Invariants:
 *  1. It has at most one task, and keeps the process alive only while it has one.
 *  2. The limit is processor time, so that a machine which is busy with other things refuses nothing; where the system does not tell it,
 *     wall time. Beyond it, or beyond its memory, the thread is ended: the task is refused, and whoever owns the thread hears that it is gone.
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ServiceError } from '@weft/platform';
import type { FromLoader, LoadingTask } from './protocol.js';

export interface ThreadLimits {
  /** Milliseconds of processor time for one task. */
  cpuMs: number;
  /** Mebibytes of heap. */
  heapMb: number;
}

export interface LoadingJob {
  task: LoadingTask;
  resolve(answer: FromLoader): void;
  reject(error: Error): void;
}

interface Owner {
  idle(thread: LoadingThread): void;
  gone(thread: LoadingThread): void;
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

export class LoadingThread {
  private readonly worker: Worker;
  private job: LoadingJob | undefined;
  private path: string | undefined;
  private usedBefore = 0;
  private sentAtMs = 0;
  private watchdog: NodeJS.Timeout | undefined;
  private isGone = false;

  constructor(
    url: URL,
    private readonly limits: ThreadLimits,
    private readonly owner: Owner,
  ) {
    const resourceLimits = { maxOldGenerationSizeMb: limits.heapMb, maxYoungGenerationSizeMb: 32 };
    this.worker = new Worker(url, { env: {}, execArgv: [], resourceLimits });
    this.worker.unref();
    this.worker.on('message', (message: FromLoader) => this.receive(message));
    this.worker.on('error', (error: NodeJS.ErrnoException) => this.end(this.refusalFor(error)));
    this.worker.on('exit', (code) => this.end(new ServiceError('INTERNAL', `the thread that loads documents ended with code ${code}`)));
  }

  get busy(): boolean {
    return this.job !== undefined;
  }

  send(job: LoadingJob): void {
    this.job = job;
    this.usedBefore = this.usedMs();
    this.sentAtMs = performance.now();
    this.worker.ref();
    this.worker.postMessage(job.task);
    this.watch(this.limits.cpuMs);
  }

  async close(): Promise<void> {
    this.end(new ServiceError('UNAVAILABLE', 'the service is stopping'));
    await this.worker.terminate();
  }

  private receive(message: FromLoader): void {
    if (message.kind === 'started') {
      this.started(message.threadPath);
      return;
    }
    const { job } = this;
    if (job === undefined || this.isGone) return;
    this.job = undefined;
    clearTimeout(this.watchdog);
    this.worker.unref();
    if (message.kind === 'failed') job.reject(new ServiceError('INTERNAL', `the document cannot be loaded: ${message.message}`));
    else job.resolve(message);
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
      const why = `takes more than ${this.limits.cpuMs / 1000} s to load; put what is large into files that the inputs name, or take it apart`;
      this.end(new ServiceError('INVALID_ARGUMENT', `this submission ${why}`));
    }, delayMs);
  }

  private usedMs(): number {
    return (this.path === undefined ? undefined : processorMs(this.path)) ?? performance.now();
  }

  private refusalFor(error: NodeJS.ErrnoException): ServiceError {
    if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return new ServiceError('INTERNAL', `the document cannot be loaded: ${error.message}`);
    const why = `takes more than ${this.limits.heapMb} MiB of memory to load; put what is large into files that the inputs name`;
    return new ServiceError('INVALID_ARGUMENT', `this submission ${why}`);
  }

  private end(refusal: ServiceError): void {
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
