/** Owners, releasers and queues of several replicas over one Redis; what a runner would do is a gate of the test. */
import { DeferredGate } from '@weft/testing';
import { aRun, type Begun, ended, type Replica, ReplicaTown, WINDOW } from '../../test/releasing-replicas.js';

const AT_ONCE = 3;

const town = new ReplicaTown();
beforeAll(() => town.start());
afterAll(() => town.stop());
afterEach(() => town.clear());

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
  const replica = await town.replica('a');
  await replica.consume(AT_ONCE);
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
  const replica = await town.replica('a');
  await replica.consume(AT_ONCE);
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
  const replica = await town.replica('a');
  await replica.consume(AT_ONCE);
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
  const first = await town.replica('a');
  await aRun(first, 'r-1', 20);
  await first.owner.close();
  const second = await town.replica('b');
  await second.consume(AT_ONCE);
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
  const pair = [await town.replica('a', limit), await town.replica('b', limit)];
  for (const replica of pair) await replica.consume(AT_ONCE);
  const options = ofProject ? {} : { maxParallelTasks: 2 };
  const runs = ['r-1', 'r-2', 'r-3'];
  for (const runId of runs) await aRun(pair[0] as Replica, runId, 10, { options, projectId: 'p' });
  const running = new Map<string, number>();
  const peaks = new Map<string, number>();
  // None ends before two of its kind were at work at once: what is not let go to the limit shows as a standstill.
  const full = new Map<string, DeferredGate>();
  const counted = async (replica: Replica): Promise<void> => {
    for (let n = 1; ; n++) {
      const { job, end } = (await replica.begun.atLeast(n))[n - 1] as Begun;
      const key = ofProject ? 'p' : job.runId;
      running.set(key, (running.get(key) ?? 0) + 1);
      peaks.set(key, Math.max(peaks.get(key) ?? 0, running.get(key) ?? 0));
      if (!full.has(key)) full.set(key, new DeferredGate());
      if (peaks.get(key) === 2) full.get(key)?.open();
      // Others that were let go meanwhile begin before this one ends.
      void Promise.all([full.get(key)?.pass(), released(replica)]).then(() => {
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

it('a limit that is changed while tasks wait counts from then on, and none is left counted when it goes', async () => {
  let limit = 2;
  const replica = await town.replica('a', () => limit);
  await replica.consume(AT_ONCE);
  await aRun(replica, 'r-1', 20, { projectId: 'p' });
  await replica.begun.atLeast(2);
  expect(replica.releaser.count('default')).toEqual({ held: 18, inFlight: 2 });
  limit = 3;
  replica.releaser.limitsChanged();
  await replica.begun.atLeast(3);
  limit = Infinity;
  replica.releaser.limitsChanged();
  for (let n = 1; n <= 20; n++) (await replica.begun.atLeast(n))[n - 1]?.end();
  expect(await ended(replica, 'r-1')).toMatchObject({ status: 'succeeded' });
  // What the first run held is not held against the next.
  limit = 1;
  await aRun(replica, 'r-2', 1, { projectId: 'p' });
  (await replica.begun.atLeast(21))[20]?.end();
  expect(await ended(replica, 'r-2')).toMatchObject({ status: 'succeeded' });
});
