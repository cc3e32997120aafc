/**
 * The task queue on BullMQ: a queue per pool, one connection for adding to all of them, two per consumed pool.
 *
 * Invariants:
 *  1. Finished jobs are kept for the board (the newest 1000 per pool) but do not stand in the way: adding a finished job's id again
 *     hands it out again. Whether a result is known is the run log's business.
 *  2. A job that was added while it waits or is worked on is not added twice.
 */
import { type JobsOptions, Queue } from 'bullmq';
import { HEALING } from '@weft/run-store';
import { Redis, type RedisOptions } from 'ioredis';
import { type HandledJob, PoolConsumer } from './bull-task-consumer.js';
import { jobData, type JobData } from './job-data.js';
import type { JobRef, TaskConsumer, TaskHandler, TaskJob, TaskQueue } from './ports.js';
import { DEFAULT_PREFIX, jobIdOf, poolsKey, taskQueueName, taskQueuePrefix } from './queue-names.js';

export interface BullTaskQueueOptions {
  /** Connection options as `redisConnection(url)` of @weft/platform gives them. */
  connection: RedisOptions;
  /** Default `weft`. */
  prefix?: string;
  /** A consumer that is silent for so long is taken for dead. Default 30,000. */
  lockMs?: number;
  /** How often consumers look for jobs of dead ones. Default 15,000. */
  stalledCheckMs?: number;
  /** How long close() waits for consumers that Redis' absence keeps from ending. Default 5,000. */
  closeLimitMs?: number;
  /** Told of connection errors and lost locks. Default: a process warning. */
  onError?: (error: Error) => void;
  /** Metrics hook: called once per handled job. */
  onHandled?: (job: HandledJob) => void;
}

/** Jobs per round trip. */
const CHUNK = 1000;

const JOB_OPTIONS: JobsOptions = {
  // Rejected = handed out again, always; how long it waits is the worker's backoffStrategy.
  attempts: 1_000_000_000,
  backoff: { type: 'handler' },
  removeOnComplete: { count: 1000 },
  removeOnFail: false,
  stackTraceLimit: 3,
};

export function createBullTaskQueue(options: BullTaskQueueOptions): TaskQueue & TaskConsumer {
  return new BullTaskQueue(options);
}

class BullTaskQueue implements TaskQueue, TaskConsumer {
  private readonly redis: Redis;
  private readonly prefix: string;
  private readonly onError: (error: Error) => void;
  private readonly queues = new Map<string, Promise<Queue<JobData, void, string>>>();
  private readonly consumers = new Map<string, PoolConsumer>();
  private closing: Promise<void> | undefined;

  constructor(private readonly options: BullTaskQueueOptions) {
    this.prefix = options.prefix ?? DEFAULT_PREFIX;
    this.onError = options.onError ?? ((error) => process.emitWarning(error));
    this.redis = new Redis({ ...options.connection, ...HEALING });
    this.redis.on('error', this.onError);
  }

  async add(jobs: TaskJob[]): Promise<void> {
    for (const [pool, ofPool] of groupByPool(jobs)) {
      const queue = await this.queueOf(pool);
      for (const chunk of chunksOf(ofPool)) {
        await this.forgetFinished(queue, chunk.map(jobIdOf));
        await queue.addBulk(
          chunk.map((job) => ({
            name: nameOf(job),
            data: jobData(job),
            opts: { jobId: jobIdOf(job), ...(job.priority > 0 ? { priority: job.priority } : {}) },
          })),
        );
      }
    }
  }

  async remove(jobs: JobRef[]): Promise<JobRef[]> {
    const left: JobRef[] = [];
    for (const [pool, ofPool] of groupByPool(jobs)) {
      const queue = await this.queueOf(pool);
      for (const chunk of chunksOf(ofPool)) {
        const taken = await Promise.all(chunk.map((job) => this.takeOut(queue, jobIdOf(job))));
        for (const [i, job] of chunk.entries()) if (!taken[i]) left.push(job);
      }
    }
    return left;
  }

  /** False: it was handed out, and may wait for the next consumer now. One that is handed out in between is locked, and remove() leaves it. */
  private async takeOut(queue: Queue<JobData, void, string>, id: string): Promise<boolean> {
    const [handedOut, finishedAt] = await this.redis.hmget(queue.toKey(id), 'ats', 'finishedOn');
    if (Number(handedOut ?? 0) > 0) return finishedAt !== null;
    return (await queue.remove(id)) === 1;
  }

  async depth(pool: string): Promise<{ waiting: number; active: number; delayed: number; failed: number }> {
    const queue = await this.queueOf(pool);
    const counts = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed');
    const of = (state: string): number => counts[state] ?? 0;
    return { waiting: of('wait') + of('prioritized'), active: of('active'), delayed: of('delayed'), failed: of('failed') };
  }

  async consume(pool: string, concurrency: number, handler: TaskHandler): Promise<void> {
    if (this.consumers.has(pool)) throw new Error(`pool ${pool} is being consumed already`);
    const { connection, lockMs = 30_000, stalledCheckMs = 15_000, closeLimitMs = 5_000, onHandled } = this.options;
    const worker = {
      connection: { ...connection, ...HEALING },
      prefix: taskQueuePrefix(pool, this.prefix),
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
    };
    const consumer = new PoolConsumer({ pool, concurrency, handler, worker, closeLimitMs, onError: this.onError, onHandled });
    this.consumers.set(pool, consumer);
    await this.announce(pool);
    await consumer.ready();
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    await Promise.all([...this.consumers.values()].map((consumer) => consumer.close()));
    const queues = await Promise.all(this.queues.values());
    await Promise.all(queues.map((queue) => queue.close()));
    // A connection that breaks before QUIT is answered is closed as well.
    if (this.redis.status === 'ready') await this.redis.quit().catch(() => this.redis.disconnect());
    else this.redis.disconnect();
  }

  private queueOf(pool: string): Promise<Queue<JobData, void, string>> {
    let queue = this.queues.get(pool);
    if (!queue) {
      queue = this.openQueue(pool);
      queue.catch(() => this.queues.delete(pool));
      this.queues.set(pool, queue);
    }
    return queue;
  }

  private async openQueue(pool: string): Promise<Queue<JobData, void, string>> {
    const prefix = taskQueuePrefix(pool, this.prefix);
    await this.announce(pool);
    const queue = new Queue<JobData, void, string>(taskQueueName(pool), { connection: this.redis, prefix, defaultJobOptions: JOB_OPTIONS });
    queue.on('error', this.onError);
    return queue;
  }

  private async announce(pool: string): Promise<void> {
    await this.redis.sadd(poolsKey(this.prefix), pool);
  }

  /** A job that is kept for the board would swallow a new one of the same id. */
  private async forgetFinished(queue: Queue<JobData, void, string>, ids: string[]): Promise<void> {
    const scores = await Promise.all([
      this.redis.zmscore(queue.toKey('completed'), ...ids),
      this.redis.zmscore(queue.toKey('failed'), ...ids),
    ]);
    const finished = ids.filter((_id, i) => scores.some((found) => found[i] !== null));
    await Promise.all(finished.map((id) => queue.remove(id)));
  }
}

/** What the board shows as the job's name. */
function nameOf(job: TaskJob): string {
  const step = job.step || job.processId;
  return job.index ? `${step}[${job.index}]` : step;
}

function groupByPool<T extends { pool: string }>(jobs: T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const job of jobs) {
    const group = groups.get(job.pool);
    if (group) group.push(job);
    else groups.set(job.pool, [job]);
  }
  return groups;
}

function* chunksOf<T>(items: T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i += CHUNK) yield items.slice(i, i + CHUNK);
}
