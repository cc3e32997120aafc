/**
 * The consuming side: one BullMQ worker per pool.
 *
 * Invariants: a handler's signal aborts when the consumer closes and when its job's lock was lost (another consumer may have the job by then).
 * Nothing but its handler's promise ends a job; a job whose consumer died goes to another, however often that happens. What lies in the queue
 * and is no job of ours (anybody who reaches Redis can put it there) reaches no handler: it is told of once, and done.
 */
import { type Job, Worker, type WorkerOptions } from 'bullmq';
import { ForeignMessageError } from '@weft/run-store';
import { finishedData, jobOf } from './job-data.js';
import type { TaskHandler } from './ports.js';
import { taskQueueName } from './queue-names.js';
import { retryDelayMs } from './retry-delay.js';

/** What a metric is made of, once per handled job. Times in milliseconds. */
export interface HandledJob {
  pool: string;
  ok: boolean;
  waitedMs: number;
  ranMs: number;
}

export interface PoolConsumerOptions {
  pool: string;
  concurrency: number;
  handler: TaskHandler;
  worker: WorkerOptions;
  closeLimitMs: number;
  onError: (error: Error) => void;
  onHandled?: (job: HandledJob) => void;
}

/** A job that stalled goes back to the queue; the dispatcher runs no user code that could make it stall for ever. */
const MAX_STALLED = 1_000_000;

/** What stands for data that are no JSON; no job of ours. */
const NO_DATA = 'null';

/** BullMQ reads a job's data before anybody can look at them; where it cannot, the job would be handed out again and again. */
class CarefulWorker extends Worker<unknown, void> {
  protected override createJob(...[data, id]: Parameters<Worker<unknown, void>['createJob']>): Job<unknown, void> {
    try {
      return super.createJob(data, id);
    } catch {
      return super.createJob({ ...data, data: NO_DATA }, id);
    }
  }
}

export class PoolConsumer {
  /** Handlers by job: more than one where a job's lock was lost and this consumer got the job again. */
  private readonly running = new Map<string, Set<AbortController>>();
  private readonly worker: CarefulWorker;
  private closing = false;
  private toldOfForeign = false;

  constructor(private readonly options: PoolConsumerOptions) {
    this.worker = new CarefulWorker(taskQueueName(options.pool), (job) => this.handle(job), {
      ...options.worker,
      concurrency: options.concurrency,
      maxStalledCount: MAX_STALLED,
      settings: { backoffStrategy: (rejections, _type, error) => (this.closing ? 0 : retryDelayMs(error, rejections)) },
    });
    this.worker.on('error', options.onError);
    this.worker.on('lockRenewalFailed', (jobIds) =>
      jobIds.forEach((id) => this.running.get(id)?.forEach((controller) => controller.abort())),
    );
  }

  async ready(): Promise<void> {
    await this.worker.waitUntilReady();
  }

  /** Where Redis is away, BullMQ's close may never end: what is left to others then is as much as a consumer leaves that dies. */
  async close(): Promise<void> {
    this.closing = true;
    const closed = this.worker.close();
    for (const controllers of this.running.values()) controllers.forEach((controller) => controller.abort());
    let limit: NodeJS.Timeout | undefined;
    const left = new Promise<void>((resolve) => {
      limit = setTimeout(() => {
        this.options.onError(new Error(`pool ${this.options.pool}: closed without Redis; its jobs go to others once their locks lapse`));
        resolve();
      }, this.options.closeLimitMs);
    });
    await Promise.race([closed, left]);
    clearTimeout(limit);
  }

  private async handle(job: Job<unknown, void>): Promise<void> {
    const { id = '' } = job;
    const task = jobOf(job.data);
    if (!task) return this.drop(id);
    const controller = new AbortController();
    const controllers = this.running.get(id) ?? new Set();
    this.running.set(id, controllers.add(controller));
    // A job that was fetched while the consumer began to close.
    if (this.closing) controller.abort();
    const startedAtMs = Date.now();
    let ok = false;
    try {
      await this.options.handler(task, controller.signal, { again: job.attemptsStarted > 1 });
      ok = true;
      const brief = finishedData(task);
      // Where it is not there any more, nothing of it is kept either.
      if (brief !== undefined) await job.updateData(brief).catch(this.options.onError);
    } catch (error) {
      throw asError(error);
    } finally {
      controllers.delete(controller);
      if (controllers.size === 0) this.running.delete(id);
      this.options.onHandled?.({ pool: this.options.pool, ok, waitedMs: startedAtMs - job.timestamp, ranMs: Date.now() - startedAtMs });
    }
  }

  private drop(id: string): void {
    if (this.toldOfForeign) return;
    this.toldOfForeign = true;
    const what = `job ${JSON.stringify(id.slice(0, 80))} of pool ${this.options.pool} is not a task and was dropped`;
    this.options.onError(new ForeignMessageError(`${what}, as further ones will be without a word`));
  }
}

/** BullMQ reads `message` and `name` and gives names of its own a meaning; `{ retryAfterMs }` may be a plain object. */
function asError(thrown: unknown): Error {
  const shape = typeof thrown === 'object' && thrown !== null ? (thrown as { message?: unknown; retryAfterMs?: unknown }) : {};
  const message = typeof shape.message === 'string' ? shape.message : `the handler rejected with ${JSON.stringify(thrown)}`;
  return Object.assign(new Error(message, { cause: thrown }), { retryAfterMs: shape.retryAfterMs });
}
