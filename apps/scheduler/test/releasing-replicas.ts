/** Owners, releasers and queues of several replicas over one Redis; what a runner would do is a gate of the test. */
import { redisConnection } from '@weft/platform';
import { createBullTaskQueue, type TaskJob } from '@weft/queue';
import { createRedisRunStore, PARTITIONS, partitionOf, type RunStore } from '@weft/run-store';
import { Inbox, startRedis, type TestRedis } from '@weft/testing';
import { Redis } from 'ioredis';
import { systemClock } from '../src/kernel/clock.js';
import { Neighbours } from '../src/admission/peers/neighbours.js';
import { createRedisDemandChannel } from '../src/admission/peers/redis-demand-channel.adapter.js';
import { createRedisProjectSlots } from '../src/admission/slots/redis-project-slots.adapter.js';
import { SlotKeeper } from '../src/admission/slots/slot-keeper.js';
import { TaskReleaser } from '../src/admission/task-releaser.js';
import { CommandRunner } from '../src/commands/command-runner.js';
import { PartitionOwner } from '../src/runs/partition-owner.js';
import { ReportRouter } from '../src/execution/reports.js';
import { TaskStopper } from '../src/jobs/task-stopper.js';
import { openReach } from './open-reach.js';
import { logger, submitted, type SubmittedAs } from './owned-runs.js';

/** Tasks of a pool that may lie released and not started. */
export const WINDOW = 4;

/** A task that a consumer holds; it ends when the test says so. */
export interface Begun {
  job: TaskJob;
  end: () => void;
}

export interface Replica {
  store: RunStore;
  queue: ReturnType<typeof createBullTaskQueue>;
  releaser: TaskReleaser;
  owner: PartitionOwner;
  begun: Inbox<Begun>;
  /** Pushed whenever it has heard what waits at another. */
  heard: Inbox<string>;
  /** Resolves when it holds so many partitions. */
  holds(partitions: number): Promise<void>;
  consume(atOnce: number): Promise<void>;
  close(): Promise<void>;
}

export class ReplicaTown {
  private readonly replicas: Replica[] = [];
  private readonly late: (() => void)[] = [];
  private server: TestRedis | undefined;

  async start(): Promise<void> {
    this.server = await startRedis();
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  /** Replicas tell what waits with them now. */
  tell(): void {
    for (const work of this.late.splice(0)) work();
  }

  /** Closes all replicas and forgets what was stored. */
  async clear(): Promise<void> {
    await Promise.all(this.replicas.splice(0).map((replica) => replica.close()));
    const admin = new Redis(this.redis.connection);
    await admin.flushall();
    await admin.quit();
  }

  /** @param limit tasks in flight of each project, over all replicas */
  async replica(name: string, limit: number | (() => number) = Infinity): Promise<Replica> {
    const limitOf = typeof limit === 'number' ? (): number => limit : limit;
    const connection = redisConnection(this.redis.url);
    const onError = (error: Error): void => process.emitWarning(error);
    const store = createRedisRunStore({ redis: connection, onError });
    const queue = createBullTaskQueue({ connection, onError });
    const slots = createRedisProjectSlots({ redis: connection, onError });
    const channel = createRedisDemandChannel({ redis: connection, onError });
    // Nothing that was heard is forgotten; what waits is told again when the test says so.
    const still = { now: () => 0, after: (_ms: number, work: () => void) => (this.late.push(work), (): void => undefined) };
    const neighbours = new Neighbours({ channel, name, weightOf: () => 1, logger, clock: still });
    // For the rest it flies: the window is its floor.
    let nowMs = 0;
    const clock = { ...systemClock, now: () => (nowMs += 1_000) };
    const releaser = new TaskReleaser({
      ...{ queue, neighbours, logger, clock, startable: () => WINDOW, terms: () => ({ weight: 1, cap: limitOf() }) },
      stopper: new TaskStopper({ queue, canceller: { cancel: () => false }, cancels: store.cancels, logger, clock }),
      slots: new SlotKeeper({ slots, limitOf, logger, clock }),
    });
    const taken = new Inbox<number>();
    const owner = anOwner(name, store, releaser, () => taken.push(owner.heldPartitions));
    const [begun, heard] = [new Inbox<Begun>(), new Inbox<string>()];
    const replica: Replica = {
      ...{ store, queue, releaser, owner, begun, heard },
      holds: async (partitions) => {
        for (let n = 0; owner.heldPartitions < partitions; n++) await taken.atLeast(n + 1);
      },
      consume: (atOnce) => queue.consume('default', atOnce, handlerOf(new ReportRouter(() => owner, store.intake), begun)),
      close: async () => {
        await queue.close();
        await owner.close();
        await slots.close();
        await channel.close();
        await store.close();
      },
    };
    if (limit !== Infinity) await releaser.start();
    await neighbours.start((pool) => {
      releaser.termsChanged(pool);
      heard.push(pool);
    });
    await owner.start();
    this.replicas.push(replica);
    return replica;
  }

  private get redis(): TestRedis {
    if (!this.server) throw new Error('not started');
    return this.server;
  }
}

function anOwner(name: string, store: RunStore, releaser: TaskReleaser, onTaken: () => void): PartitionOwner {
  const never = (): Promise<never> => Promise.reject(new Error('not asked here'));
  const reach = openReach({ stat: never, readText: never, list: never });
  return new PartitionOwner({
    ...{ store, logger, onTaken, owner: name, leaseTtlMs: 60_000 },
    executor: new CommandRunner({ releaser, evaluator: { evaluate: never, drop: () => undefined }, reach, logger }),
    completeOutputs: async (outputs) => outputs,
  });
}

function handlerOf(reporter: ReportRouter, begun: Inbox<Begun>): (job: TaskJob, signal: AbortSignal) => Promise<void> {
  return async (job, signal) => {
    const { taskId, attempt } = job;
    await reporter.report(job.runId, { type: 'TaskStarted', taskId, attempt, runnerId: 'r', runtime: 'p' });
    signal.throwIfAborted();
    await new Promise<void>((end, fail) => {
      signal.addEventListener('abort', () => fail(new Error('the consumer closes')));
      begun.push({ job, end });
    });
    await reporter.report(job.runId, { type: 'TaskSucceeded', taskId, attempt, outputs: { out: taskId } });
  };
}

/** Submits a run of so many tasks; resolves when its owner has it. */
export async function aRun({ store }: Replica, runId: string, tasks: number, more: SubmittedAs = {}): Promise<void> {
  await submitted(store, runId, { values: Array.from({ length: tasks }, (_, n) => n), ...more });
  for await (const entry of store.reader.follow(runId, 0, AbortSignal.timeout(600_000))) if (entry.sequence === 1) return;
}

/** A run id whose partition the replica holds. */
export function runIdAt({ owner }: Replica, wanted = 0): string {
  const held = new Set(owner.leases().map(({ partition }) => partition));
  const ids = Array.from({ length: 64 * PARTITIONS }, (_, n) => `r-${n}`).filter((id) => held.has(partitionOf(id)));
  const id = ids[wanted];
  if (id === undefined) throw new Error('the replica holds no partition');
  return id;
}

/** How a run ends. */
export async function ended({ store }: Replica, runId: string): Promise<{ type: string; status?: unknown }> {
  for await (const { event } of store.reader.follow(runId, 0, AbortSignal.timeout(600_000))) if (event.type === 'RunEnded') return event;
  throw new Error(`${runId} did not end`);
}
