/**
 * The task queue in memory. Several queues over one FakeTaskQueueData are several processes over one Redis.
 *
 * Nothing waits on a clock: a job that its handler rejected lies in `delayed` with the wait it asked for, until a test calls promote().
 */
import { type TaskConsumer, type TaskHandler, type TaskJob, type TaskQueue, checkPool, jobIdOf, retryDelayMs } from '@weft/queue';

interface FakeJob {
  job: TaskJob;
  order: number;
  rejections: number;
  deliveries: number;
}

interface FakeConsumer {
  handler: TaskHandler;
  concurrency: number;
  running: Map<string, { controller: AbortController; done: Promise<void> }>;
  closed: boolean;
}

interface FakePool {
  waiting: Map<string, FakeJob>;
  active: Map<string, FakeJob>;
  delayed: Map<string, FakeJob & { delayMs: number }>;
  consumers: Set<FakeConsumer>;
}

export class FakeTaskQueueData {
  private readonly pools = new Map<string, FakePool>();
  private added = 0;

  /** `autoPromote`: rejected jobs are handed out again at once, whatever delay they asked for. */
  constructor(readonly autoPromote = false) {}

  pool(name: string): FakePool {
    const found = this.pools.get(checkPool(name));
    if (found) return found;
    const made: FakePool = { waiting: new Map(), active: new Map(), delayed: new Map(), consumers: new Set() };
    this.pools.set(name, made);
    return made;
  }

  put(job: TaskJob): void {
    const pool = this.pool(job.pool);
    const id = jobIdOf(job);
    if (pool.waiting.has(id) || pool.active.has(id) || pool.delayed.has(id)) return;
    pool.waiting.set(id, { job: JSON.parse(JSON.stringify(job)) as TaskJob, order: this.added++, rejections: 0, deliveries: 0 });
    this.dispatch(pool);
  }

  /** Hands out every delayed job of the pool; gives the waits they had asked for. */
  promote(name: string): number[] {
    const pool = this.pool(name);
    const delayed = [...pool.delayed.values()];
    pool.delayed.clear();
    for (const item of delayed) pool.waiting.set(jobIdOf(item.job), item);
    this.dispatch(pool);
    return delayed.map((item) => item.delayMs);
  }

  dispatch(pool: FakePool): void {
    for (const consumer of pool.consumers) {
      while (!consumer.closed && consumer.running.size < consumer.concurrency) {
        const next = [...pool.waiting].sort(([, a], [, b]) => a.job.priority - b.job.priority || a.order - b.order)[0];
        if (!next) return;
        this.start(pool, consumer, ...next);
      }
    }
  }

  private start(pool: FakePool, consumer: FakeConsumer, id: string, item: FakeJob): void {
    const controller = new AbortController();
    pool.waiting.delete(id);
    pool.active.set(id, item);
    const delivery = { again: item.deliveries++ > 0 };
    const handled = Promise.resolve().then(() =>
      consumer.handler(JSON.parse(JSON.stringify(item.job)) as TaskJob, controller.signal, delivery),
    );
    const done = handled.then(
      () => this.finish(pool, consumer, id),
      (error: unknown) => {
        item.rejections++;
        const delayMs = consumer.closed || this.autoPromote ? 0 : retryDelayMs(error, item.rejections);
        if (delayMs > 0) pool.delayed.set(id, { ...item, delayMs });
        else pool.waiting.set(id, item);
        this.finish(pool, consumer, id);
      },
    );
    consumer.running.set(id, { controller, done });
  }

  private finish(pool: FakePool, consumer: FakeConsumer, id: string): void {
    pool.active.delete(id);
    consumer.running.delete(id);
    this.dispatch(pool);
  }
}

export function createFakeTaskQueue(data = new FakeTaskQueueData()): TaskQueue & TaskConsumer {
  const consumers: { pool: FakePool; consumer: FakeConsumer }[] = [];
  return {
    add: async (jobs) => jobs.forEach((job) => data.put(job)),
    remove: async (jobs) => {
      for (const job of jobs) {
        data.pool(job.pool).waiting.delete(jobIdOf(job));
        data.pool(job.pool).delayed.delete(jobIdOf(job));
      }
    },
    depth: async (name) => {
      const { waiting, active, delayed } = data.pool(name);
      return { waiting: waiting.size, active: active.size, delayed: delayed.size, failed: 0 };
    },
    consume: async (name, concurrency, handler) => {
      const pool = data.pool(name);
      if (consumers.some((mine) => mine.pool === pool)) throw new Error(`pool ${name} is being consumed already`);
      const consumer: FakeConsumer = { handler, concurrency, running: new Map(), closed: false };
      pool.consumers.add(consumer);
      consumers.push({ pool, consumer });
      data.dispatch(pool);
    },
    close: async () => {
      for (const { pool, consumer } of consumers) {
        consumer.closed = true;
        pool.consumers.delete(consumer);
        const running = [...consumer.running.values()];
        for (const { controller } of running) controller.abort();
        await Promise.all(running.map(({ done }) => done));
      }
    },
  };
}
