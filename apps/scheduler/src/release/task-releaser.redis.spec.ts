/** Owners, releasers and queues of several replicas over one Redis; what a runner would do is a gate of the test. */
import { redisConnection } from '@weft/platform';
import { createBullTaskQueue, type TaskJob } from '@weft/queue';
import { createRedisRunStore, type RunStore } from '@weft/run-store';
import { Inbox, startRedis, type TestRedis } from '@weft/testing';
import { Redis } from 'ioredis';
import { logger, submitted, type SubmittedAs } from '../../test/owned-runs.js';
import { systemClock } from '../clock.js';
import { CommandRunner } from '../runs/command-runner.js';
import { PartitionOwner } from '../runs/partition-owner.js';
import { ReportRouter } from '../runs/reports.js';
import { TaskStopper } from '../runs/task-stopper.js';
import { createRedisProjectSlots } from './redis-project-slots.adapter.js';
import { SlotKeeper } from './slot-keeper.js';
import { TaskReleaser } from './task-releaser.js';

const WINDOW = 4;
const AT_ONCE = 3;

/** A task that a consumer holds; it ends when the test says so. */
interface Begun {
  job: TaskJob;
  end: () => void;
}

interface Replica {
  store: RunStore;
  queue: ReturnType<typeof createBullTaskQueue>;
  releaser: TaskReleaser;
  owner: PartitionOwner;
  begun: Inbox<Begun>;
  consume(): Promise<void>;
  close(): Promise<void>;
}

let server: TestRedis;
const replicas: Replica[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
afterEach(async () => {
  await Promise.all(replicas.splice(0).map((replica) => replica.close()));
  const admin = new Redis(server.connection);
  await admin.flushall();
  await admin.quit();
});

async function aReplica(name: string, limit = Infinity): Promise<Replica> {
  const connection = redisConnection(server.url);
  const onError = (error: Error): void => process.emitWarning(error);
  const store = createRedisRunStore({ redis: connection, onError });
  const queue = createBullTaskQueue({ connection, onError });
  const slots = createRedisProjectSlots({ connect: () => new Redis({ ...connection, lazyConnect: true }), onError });
  // Time flies: the window is its floor.
  let nowMs = 0;
  const clock = { ...systemClock, now: () => (nowMs += 1_000) };
  const releaser = new TaskReleaser({
    ...{ queue, logger, clock, startable: () => WINDOW, terms: () => ({ weight: 1, cap: limit }) },
    stopper: new TaskStopper({ queue, canceller: { cancel: () => false }, cancels: store.cancels, logger, clock }),
    slots: new SlotKeeper({ slots, limitOf: () => limit, logger, clock }),
  });
  const never = (): Promise<never> => Promise.reject(new Error('not asked here'));
  const files = { stat: never, readText: never, list: never };
  const executor = new CommandRunner({ releaser, evaluator: { evaluate: never }, files, logger });
  const owner = new PartitionOwner({
    store,
    executor,
    completeOutputs: async (outputs) => outputs,
    logger,
    owner: name,
    leaseTtlMs: 60_000,
  });
  const reporter = new ReportRouter(() => owner, store.intake);
  const begun = new Inbox<Begun>();
  const handle = async (job: TaskJob, signal: AbortSignal): Promise<void> => {
    const { taskId, attempt } = job;
    await reporter.report(job.runId, { type: 'TaskStarted', taskId, attempt, runnerId: 'r', runtime: 'p' });
    signal.throwIfAborted();
    await new Promise<void>((end, fail) => {
      signal.addEventListener('abort', () => fail(new Error('the consumer closes')));
      begun.push({ job, end });
    });
    await reporter.report(job.runId, { type: 'TaskSucceeded', taskId, attempt, outputs: { out: taskId } });
  };
  const replica: Replica = {
    ...{ store, queue, releaser, owner, begun },
    consume: () => queue.consume('default', AT_ONCE, handle),
    close: async () => {
      await queue.close();
      await owner.close();
      await slots.close();
      await store.close();
    },
  };
  if (limit !== Infinity) await releaser.start();
  await owner.start();
  replicas.push(replica);
  return replica;
}

async function aRun(replica: Replica, runId: string, tasks: number, more: SubmittedAs = {}): Promise<void> {
  await submitted(replica.store, runId, { values: Array.from({ length: tasks }, (_, n) => n), ...more });
  for await (const entry of replica.store.reader.follow(runId, 0, AbortSignal.timeout(30_000))) if (entry.sequence === 1) return;
}

async function ended(replica: Replica, runId: string): Promise<{ type: string; status?: unknown }> {
  for await (const { event } of replica.store.reader.follow(runId, 0, AbortSignal.timeout(30_000)))
    if (event.type === 'RunEnded') return event;
  throw new Error(`${runId} did not end`);
}

/** When so many of the run's tasks are cancelled. */
async function answered(replica: Replica, runId: string, count: number): Promise<void> {
  let cancelled = 0;
  for await (const { event } of replica.store.reader.follow(runId, 0, AbortSignal.timeout(30_000))) {
    if (event.type === 'TaskCancelled' && ++cancelled === count) return;
  }
  throw new Error(`only ${cancelled} tasks of ${runId} were cancelled`);
}

const released = async ({ queue }: Replica): Promise<number> => {
  const { waiting, active, delayed } = await queue.depth('default');
  return waiting + active + delayed;
};

it('keeps the queue short, and gets all done', async () => {
  const replica = await aReplica('a');
  await replica.consume();
  await aRun(replica, 'r-1', 60);
  const lengths: number[] = [];
  for (let n = 1; n <= 60; n++) {
    const task = (await replica.begun.atLeast(n))[n - 1] as Begun;
    lengths.push(await released(replica));
    task.end();
  }
  expect(await ended(replica, 'r-1')).toMatchObject({ status: 'succeeded' });
  // One that has just begun may be in the queue's count and not yet in the log.
  expect(Math.max(...lengths)).toBeLessThanOrEqual(WINDOW + 2 * AT_ONCE);
  expect(replica.releaser.count('default')).toEqual({ held: 0, inFlight: 0 });
});

it('a small run does not wait for a wide one that came before it', async () => {
  const replica = await aReplica('a');
  await replica.consume();
  await aRun(replica, 'r-1', 200);
  await replica.begun.atLeast(AT_ONCE);
  await aRun(replica, 'r-2', 3);
  const order: string[] = [];
  for (let n = 1; n <= 203; n++) {
    const { job, end } = (await replica.begun.atLeast(n))[n - 1] as Begun;
    order.push(job.runId);
    end();
    if (order.filter((runId) => runId === 'r-2').length === 3) break;
  }
  // What runs, what was released before, and as much again between its tasks.
  expect(order.length).toBeLessThanOrEqual(AT_ONCE + 4 * WINDOW);
  expect(await ended(replica, 'r-2')).toMatchObject({ status: 'succeeded' });
});

it('a cancel answers at once for what is held, and the queue is left empty', async () => {
  const replica = await aReplica('a');
  await replica.consume();
  await aRun(replica, 'r-1', 500);
  const begun = await replica.begun.atLeast(AT_ONCE);
  expect(replica.releaser.count('default').held).toBeGreaterThan(400);
  await replica.store.intake.request('r-1', { type: 'CancelAsked', reason: 'enough' });
  await answered(replica, 'r-1', 500 - AT_ONCE);
  expect(replica.releaser.count('default').held).toBe(0);
  for (const { end } of begun) end();
  expect(await ended(replica, 'r-1')).toMatchObject({ status: 'cancelled' });
  await replica.queue.close();
  expect(replica.begun.items).toHaveLength(AT_ONCE);
});

it('a replica that takes over releases what was held, once', async () => {
  const first = await aReplica('a');
  await aRun(first, 'r-1', 20);
  await first.owner.close();
  const second = await aReplica('b');
  await second.consume();
  for (let n = 1; n <= 20; n++) (await second.begun.atLeast(n))[n - 1]?.end();
  expect(await ended(second, 'r-1')).toMatchObject({ status: 'succeeded' });
  const tasks = second.begun.items.map(({ job }) => job.taskId);
  expect(new Set(tasks).size).toBe(20);
  expect(tasks).toHaveLength(20);
});

it.each([
  ['a run', Infinity],
  ['a project, over two replicas,', 2],
])('%s never has more tasks in flight than its limit says', async (_what, limit) => {
  const ofProject = limit !== Infinity;
  const pair = [await aReplica('a', limit), await aReplica('b', limit)];
  for (const replica of pair) await replica.consume();
  const options = ofProject ? {} : { maxParallelTasks: 2 };
  const runs = ['r-1', 'r-2', 'r-3'];
  for (const runId of runs) await aRun(pair[0] as Replica, runId, 10, { options, projectId: 'p' });
  const running = new Map<string, number>();
  const peaks = new Map<string, number>();
  const counted = async (replica: Replica): Promise<void> => {
    for (let n = 1; ; n++) {
      const { job, end } = (await replica.begun.atLeast(n))[n - 1] as Begun;
      const key = ofProject ? 'p' : job.runId;
      running.set(key, (running.get(key) ?? 0) + 1);
      peaks.set(key, Math.max(peaks.get(key) ?? 0, running.get(key) ?? 0));
      // Others that were let go meanwhile begin before this one ends.
      void released(replica).then(() => {
        running.set(key, (running.get(key) ?? 0) - 1);
        end();
      });
    }
  };
  for (const replica of pair) void counted(replica);
  for (const runId of runs) expect(await ended(pair[0] as Replica, runId)).toMatchObject({ status: 'succeeded' });
  expect([...peaks.values()].every((peak) => peak <= 2)).toBe(true);
  expect(Math.max(...peaks.values())).toBe(2);
});
