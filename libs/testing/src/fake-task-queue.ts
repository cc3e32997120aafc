/**
 * The task queue in memory. Several queues over one FakeTaskQueueData are several processes over one Redis.
 *
 * Nothing waits on a clock: a job that its handler rejected lies in `delayed` with the wait it asked for, until a test calls promote().
 */
import { type TaskConsumer, type TaskHandler, type TaskJob, type TaskQueue, checkPool, jobIdOf, retryDelayMs } from '@weft/queue';
import { keep } from './kept.js';

interface FakeJob {
  job: TaskJob;
  order: number;
  rejections: number;
  deliveries: number;
}

interface Handled {
  id: string;
  item: FakeJob;
  controller: AbortController;
  done: Promise<void>;
}

interface FakeConsumer {
  handler: TaskHandler;
  concurrency: number;
  running: Set<Handled>;
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

  /** The locks of jobs lapse: those of one pool that `chosen` says are handed out again while their handlers may still be running. */
  lapse(name: string, chosen: (job: TaskJob) => boolean): void {
    const pool = this.pool(name);
    for (const [id, item] of [...pool.active]) {
      if (!chosen(item.job)) continue;
      pool.active.delete(id);
      pool.waiting.set(id, { ...item });
    }
    this.dispatch(pool);
  }

  /** Remembers the jobs of a pool. The function it returns brings them back: a restart that lost what happened since. */
  snapshot(name: string): () => void {
    const pool = this.pool(name);
    const [waiting, active, delayed] = [new Map(pool.waiting), new Map(pool.active), new Map(pool.delayed)];
    return () => {
      Object.assign(pool, { waiting: new Map(waiting), active: new Map(active), delayed: new Map(delayed) });
      this.dispatch(pool);
    };
  }

  /** Active jobs that no consumer has: their locks lapse, as after a restart that brought back jobs which had been done. */
  lapseUnheld(name: string): void {
    const pool = this.pool(name);
    const held = new Set([...pool.consumers].flatMap(({ running }) => [...running].map(({ item }) => item)));
    for (const [id, item] of [...pool.active]) {
      if (held.has(item)) continue;
      pool.active.delete(id);
      pool.waiting.set(id, { ...item });
    }
    this.dispatch(pool);
  }

  put(job: TaskJob): void {
    const pool = this.pool(job.pool);
    const id = jobIdOf(job);
    if (pool.waiting.has(id) || pool.active.has(id) || pool.delayed.has(id)) return;
    pool.waiting.set(id, { job: keep(job), order: this.added++, rejections: 0, deliveries: 0 });
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
    const handled = Promise.resolve().then(() => consumer.handler(item.job, controller.signal, delivery));
    const run: Handled = { id, item, controller, done: Promise.resolve() };
    run.done = handled.then(
      () => this.finish(pool, consumer, run),
      (error: unknown) => {
        item.rejections++;
        const delayMs = consumer.closed || this.autoPromote ? 0 : retryDelayMs(error, item.rejections);
        const ours = pool.active.get(id) === item;
        if (ours && delayMs > 0) pool.delayed.set(id, { ...item, delayMs });
        else if (ours) pool.waiting.set(id, item);
        this.finish(pool, consumer, run);
      },
    );
    consumer.running.add(run);
  }

  /** A job whose lock lapsed belongs to another delivery by now, and this one's end means nothing. */
  private finish(pool: FakePool, consumer: FakeConsumer, run: Handled): void {
    if (pool.active.get(run.id) === run.item) pool.active.delete(run.id);
    consumer.running.delete(run);
    this.dispatch(pool);
  }
}

export interface FakeTaskQueue extends TaskQueue, TaskConsumer {
  /** Its process died: nobody hears of it, its jobs go to others. */
  crash(): void;
}

export function createFakeTaskQueue(data = new FakeTaskQueueData()): FakeTaskQueue {
  const consumers: { pool: FakePool; consumer: FakeConsumer }[] = [];
  return {
    add: async (jobs) => jobs.forEach((job) => data.put(job)),
    remove: async (jobs) =>
      jobs.filter((job) => {
        const { waiting, active, delayed } = data.pool(job.pool);
        const id = jobIdOf(job);
        if (active.has(id) || delayed.has(id) || (waiting.get(id)?.deliveries ?? 0) > 0) return true;
        waiting.delete(id);
        return false;
      }),
    depth: async (name) => {
      const { waiting, active, delayed } = data.pool(name);
      return { waiting: waiting.size, active: active.size, delayed: delayed.size, failed: 0 };
    },
    consume: async (name, concurrency, handler) => {
      const pool = data.pool(name);
      if (consumers.some((mine) => mine.pool === pool)) throw new Error(`pool ${name} is being consumed already`);
      const consumer: FakeConsumer = { handler, concurrency, running: new Set(), closed: false };
      pool.consumers.add(consumer);
      consumers.push({ pool, consumer });
      data.dispatch(pool);
    },
    crash: () => {
      for (const { pool, consumer } of consumers) {
        consumer.closed = true;
        pool.consumers.delete(consumer);
        for (const { id, item } of consumer.running) {
          if (pool.active.get(id) !== item) continue;
          pool.active.delete(id);
          pool.waiting.set(id, { ...item });
        }
      }
      for (const { pool } of consumers) data.dispatch(pool);
    },
    close: async () => {
      for (const { pool, consumer } of consumers) {
        consumer.closed = true;
        pool.consumers.delete(consumer);
        const running = [...consumer.running];
        for (const { controller } of running) controller.abort();
        await Promise.all(running.map(({ done }) => done));
      }
    },
  };
}
