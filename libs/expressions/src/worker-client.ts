/**
 * One worker thread and the evaluations it has been given.
 *
 * Invariants:
 *  1. A worker has at most one batch. While it has one it keeps the process alive, otherwise it does not.
 *  2. When an evaluation runs past the hard limit (a native call that ignores the interpreter's interrupts), the thread is killed:
 *     that evaluation fails, the unanswered rest of its batch goes back to the owner, who has it sent to another worker.
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
  /** The worker has finished its batch; `rest`, by id, it was asked not to begin. */
  idle(rest: ReadonlySet<number>): void;
  /** The worker is gone; `rest`, by id, were not answered and did not cause it. `burnt`: one of the batch did, by taking all the time there is. */
  gone(rest: ReadonlySet<number>, burnt: boolean): void;
}

/** Mebibytes. Small young generation: a worker's own garbage is short-lived. The old one has room for the largest result. */
function heapLimits(limits: SandboxLimits): { maxYoungGenerationSizeMb: number; maxOldGenerationSizeMb: number } {
  return { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: Math.max(256, (4 * limits.memoryBytes) / (1024 * 1024)) };
}

export class ExpressionWorker {
  private readonly thread: Worker;
  private readonly progress = new SharedArrayBuffer(24);
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

  send(evaluations: PendingEvaluation[]): void {
    for (const evaluation of evaluations) this.running.set(evaluation.id, evaluation);
    this.thread.ref();
    this.leaveOff(0);
    this.thread.postMessage(packBatch(evaluations));
    this.watch(this.options.killAfterMs);
  }

  /** Asks it to end its batch after the evaluation that runs. */
  endSoon(): void {
    this.leaveOff(1);
  }

  private leaveOff(value: 0 | 1): void {
    new Float64Array(this.progress)[2] = value;
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
    const rest = new Set(this.running.keys());
    this.running.clear();
    this.owner.idle(rest);
  }

  private settle(reply: EvaluationReply): void {
    const evaluation = this.running.get(reply.id);
    if (!evaluation) return;
    this.running.delete(reply.id);
    if ('json' in reply) evaluation.resolve(reply.json);
    else evaluation.reject(reply.error, reply.place);
  }

  private watch(delayMs: number): void {
    this.watchdog = setTimeout(() => {
      const [id = 0, startedAt = 0] = new Float64Array(this.progress);
      const left = id === 0 ? this.options.killAfterMs : startedAt + this.options.killAfterMs - Date.now();
      if (left > 0) return this.watch(left);
      this.settle({ id, error: timeoutMessage(this.options.killAfterMs) });
      this.abandon(true);
    }, delayMs);
  }

  /** The thread died by itself: the evaluation it was running is to blame, or the first one where it did not get that far. */
  private lose(reason: string): void {
    if (this.isGone) return;
    const running = new Float64Array(this.progress)[0] ?? 0;
    const blamed = running !== 0 && this.running.has(running) ? running : this.running.keys().next().value;
    if (blamed !== undefined) this.settle({ id: blamed, error: `the JavaScript worker stopped: ${reason}` });
    this.abandon(false);
  }

  private abandon(burnt: boolean): void {
    this.leave();
    void this.thread.terminate();
    const rest = new Set(this.running.keys());
    this.running.clear();
    this.owner.gone(rest, burnt);
  }

  private leave(): void {
    this.isGone = true;
    clearTimeout(this.watchdog);
  }
}
