/**
 * Hands JavaScript evaluations to worker threads.
 *
 * Invariants:
 *  1. Nothing is started before the first evaluation or `warmUp`.
 *  2. Evaluations asked for in the same turn of the event loop travel in one message.
 *  3. A second worker is started only when evaluations have waited for a busy one: a slow script does not hold up everybody else.
 */
import type { PendingEvaluation } from './batch.js';
import { ExpressionWorker, type WorkerOptions } from './worker-client.js';

/** How long evaluations wait for a busy worker before another one is started. */
const BACKLOG_MS = 50;
const BATCH_SIZE = 512;

export interface PoolOptions extends Omit<WorkerOptions, 'url'> {
  /** Most worker threads at a time. */
  workers: number;
  locate(): Promise<URL>;
}

export class WorkerPool {
  private readonly workers = new Set<ExpressionWorker>();
  private waiting: PendingEvaluation[] = [];
  private url: URL | undefined;
  private locating = false;
  private flush: NodeJS.Immediate | undefined;
  private backlog: NodeJS.Timeout | undefined;
  private nextId = 1;
  private closed = false;

  constructor(private readonly options: PoolOptions) {}

  /** JSON text of the result; rejects with an Error whose message is the reason. */
  run(script: Omit<PendingEvaluation, 'id' | 'resolve' | 'reject'>): Promise<string> {
    if (this.closed) return Promise.reject(new Error('the evaluator is closed'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ ...script, id: this.nextId++, resolve, reject: (reason) => reject(new Error(reason)) });
      this.flush ??= setImmediate(() => this.dispatch());
    });
  }

  /** Starts a worker where there is none. Resolves when it can evaluate; rejects with an Error whose message says why it cannot. */
  async warmUp(): Promise<void> {
    if (this.workers.size > 0) return;
    await this.run({ code: '(null)', library: [], inputsJson: '{}', selfJson: 'null', runtimeJson: '{}' });
  }

  /** Rejects what is running or waiting and ends the threads. */
  async close(): Promise<void> {
    this.closed = true;
    this.rejectWaiting('the evaluator was closed');
    clearTimeout(this.backlog);
    const closing = [...this.workers].map((worker) => worker.close('the evaluator was closed'));
    this.workers.clear();
    await Promise.all(closing);
  }

  private dispatch(): void {
    this.flush = undefined;
    if (this.closed || this.waiting.length === 0) return;
    if (!this.url) return this.locate();
    const worker = [...this.workers].find((candidate) => !candidate.busy) ?? (this.workers.size === 0 ? this.start(this.url) : undefined);
    if (!worker) return this.watchBacklog();
    worker.send(this.waiting.splice(0, BATCH_SIZE));
    this.dispatch();
  }

  private start(url: URL): ExpressionWorker {
    const worker = new ExpressionWorker(
      { ...this.options, url },
      { idle: () => this.dispatch(), gone: (lost, rest) => this.replace(lost, rest) },
    );
    this.workers.add(worker);
    return worker;
  }

  private replace(lost: ExpressionWorker, rest: PendingEvaluation[]): void {
    this.workers.delete(lost);
    this.waiting = rest.concat(this.waiting);
    this.dispatch();
  }

  private watchBacklog(): void {
    if (this.backlog !== undefined || this.workers.size >= this.options.workers) return;
    this.backlog = setTimeout(() => {
      this.backlog = undefined;
      const allBusy = [...this.workers].every((worker) => worker.busy);
      if (this.waiting.length > 0 && allBusy && this.url && !this.closed) this.start(this.url);
      this.dispatch();
    }, BACKLOG_MS);
  }

  private locate(): void {
    if (this.locating) return;
    this.locating = true;
    this.options
      .locate()
      .then((url) => {
        this.url = url;
        this.dispatch();
      })
      .catch((error: unknown) =>
        this.rejectWaiting(`JavaScript cannot be evaluated: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => (this.locating = false));
  }

  private rejectWaiting(reason: string): void {
    for (const evaluation of this.waiting.splice(0)) evaluation.reject(reason);
  }
}
