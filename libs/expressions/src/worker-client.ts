/**
 * One worker thread and the evaluations it has been given.
 *
 * Invariants:
 *  1. A worker has at most one batch. While it has one it keeps the process alive, otherwise it does not.
 *  2. When an evaluation runs past the hard limit (a native call that ignores the interpreter's interrupts), the thread is killed:
 *     that evaluation fails, the unanswered rest of its batch goes back to the owner, who sends it to another worker.
 */
import { Worker } from 'node:worker_threads';
import type { BatchReply, EvaluationReply, SandboxLimits, WorkerSetup } from './protocol.js';
import { timeoutMessage } from './script-errors.js';
import { packBatch, type PendingEvaluation } from './batch.js';

export interface WorkerOptions {
  url: URL;
  limits: SandboxLimits;
  /** Milliseconds of wall time after which the thread is killed. */
  killAfterMs: number;
}

export interface WorkerOwner {
  /** The worker has finished its batch. */
  idle(worker: ExpressionWorker): void;
  /** The worker is gone; `rest` were not answered and did not cause it. */
  gone(worker: ExpressionWorker, rest: PendingEvaluation[]): void;
}

/** Mebibytes. Small young generation: a worker's own garbage is short-lived. The old one has room for the largest result. */
function heapLimits(limits: SandboxLimits): { maxYoungGenerationSizeMb: number; maxOldGenerationSizeMb: number } {
  return { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: Math.max(256, (4 * limits.memoryBytes) / (1024 * 1024)) };
}

export class ExpressionWorker {
  private readonly thread: Worker;
  private readonly progress = new SharedArrayBuffer(16);
  private readonly running = new Map<number, PendingEvaluation>();
  private watchdog: NodeJS.Timeout | undefined;
  private isGone = false;

  constructor(
    private readonly options: WorkerOptions,
    private readonly owner: WorkerOwner,
  ) {
    const workerData: WorkerSetup = { limits: options.limits, progress: this.progress };
    this.thread = new Worker(options.url, { workerData, env: {}, execArgv: [], resourceLimits: heapLimits(options.limits) });
    this.thread.unref();
    this.thread.on('message', (reply: BatchReply) => this.receive(reply));
    this.thread.on('error', (error: unknown) => this.lose(error instanceof Error ? error.message : String(error)));
    this.thread.on('exit', (code) => this.lose(`it exited with code ${code}`));
  }

  get busy(): boolean {
    return this.running.size > 0;
  }

  send(evaluations: PendingEvaluation[]): void {
    for (const evaluation of evaluations) this.running.set(evaluation.id, evaluation);
    this.thread.ref();
    this.thread.postMessage(packBatch(evaluations));
    this.watch(this.options.killAfterMs);
  }

  /** Ends the thread; what it was running is rejected with `reason`. */
  async close(reason: string): Promise<void> {
    this.leave();
    for (const evaluation of this.running.values()) evaluation.reject(reason);
    this.running.clear();
    await this.thread.terminate();
  }

  private receive(reply: BatchReply): void {
    for (const answer of reply.replies) this.settle(answer);
    if (!reply.done || this.isGone) return;
    clearTimeout(this.watchdog);
    this.thread.unref();
    this.owner.idle(this);
  }

  private settle(reply: EvaluationReply): void {
    const evaluation = this.running.get(reply.id);
    if (!evaluation) return;
    this.running.delete(reply.id);
    if ('json' in reply) evaluation.resolve(reply.json);
    else evaluation.reject(reply.error);
  }

  private watch(delayMs: number): void {
    this.watchdog = setTimeout(() => {
      const [id = 0, startedAt = 0] = new Float64Array(this.progress);
      const left = id === 0 ? this.options.killAfterMs : startedAt + this.options.killAfterMs - Date.now();
      if (left > 0) return this.watch(left);
      this.settle({ id, error: timeoutMessage(this.options.killAfterMs) });
      this.abandon();
    }, delayMs);
  }

  /** The thread died by itself: the evaluation it was running is to blame, or the first one where it did not get that far. */
  private lose(reason: string): void {
    if (this.isGone) return;
    const running = new Float64Array(this.progress)[0] ?? 0;
    const blamed = running !== 0 && this.running.has(running) ? running : this.running.keys().next().value;
    if (blamed !== undefined) this.settle({ id: blamed, error: `the JavaScript worker stopped: ${reason}` });
    this.abandon();
  }

  private abandon(): void {
    this.leave();
    void this.thread.terminate();
    const rest = [...this.running.values()];
    this.running.clear();
    this.owner.gone(this, rest);
  }

  private leave(): void {
    this.isGone = true;
    clearTimeout(this.watchdog);
  }
}
