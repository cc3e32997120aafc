/** The BullMQ task queue keeps the contract, over a real Redis; and what only Redis can show. */
import { Inbox, aTaskJob, startRedis, taskQueueContract, useRedis } from '@weft/testing';
import { Redis } from 'ioredis';
import { createBullTaskQueue, discoverPools, openBoardQueues, type TaskJob } from './index.js';

describe('bull task queue', () => {
  const redis = useRedis();

  taskQueueContract(async () => {
    const open = (): ReturnType<typeof createBullTaskQueue> => createBullTaskQueue({ connection: redis.server.connection });
    const [one, two] = [open(), open()];
    return { one, two, close: async () => void (await Promise.all([one.close(), two.close()])) };
  });

  it('shows a board the same queues, with their jobs', async () => {
    const queue = createBullTaskQueue({ connection: redis.server.connection });
    await queue.add([aTaskJob({ step: 'qc/trim', index: '3' }), aTaskJob({ pool: 'gpu' })]);
    const pools = await discoverPools(redis.server.connection);
    expect(pools).toEqual(['default', 'gpu']);
    const board = openBoardQueues(redis.server.connection, pools);
    expect(await Promise.all(board.queues.map((shown) => shown.getWaitingCount()))).toEqual([1, 1]);
    expect((await board.queues[0]?.getJob('t-1.1'))?.name).toBe('qc/trim[3]');
    await board.close();
    await queue.close();
  });

  it('keeps of jobs that are done what is short', async () => {
    const queue = createBullTaskQueue({ connection: redis.server.connection });
    const inbox = new Inbox<TaskJob>();
    const long = { text: 'x'.repeat(1_000_000), n: 9223372036854775807n };
    await queue.consume('default', 1, async (job) => inbox.push(job));
    await queue.add([aTaskJob({ step: 'align', inputs: long }), aTaskJob({ taskId: 't-2', inputs: { short: 1 } })]);
    expect((await inbox.atLeast(2)).map(({ inputs }) => inputs)).toEqual([long, { short: 1 }]);
    const board = openBoardQueues(redis.server.connection, ['default']);
    // Closed, it has told what became of its jobs.
    await queue.close();
    const kept = await Promise.all(['t-1.1', 't-2.1'].map((id) => board.queues[0]?.getJob(id)));
    expect(kept.map((job) => [job?.data.inputs, JSON.stringify(job?.data).length < 1_000, job?.finishedOn !== undefined])).toEqual([
      [{}, true, true],
      [{ short: 1 }, true, true],
    ]);
    await board.close();
  });

  it('keeps every key of a pool in one slot', async () => {
    const queue = createBullTaskQueue({ connection: redis.server.connection });
    const inbox = new Inbox<string>();
    await queue.consume('default', 1, async (job) => inbox.push(job.taskId));
    await queue.add([aTaskJob()]);
    await inbox.atLeast(1);
    const keys = await redis.admin.keys('*');
    expect(keys.filter((key) => key !== 'weft:pools' && !key.startsWith('{weft:default}:'))).toEqual([]);
    await queue.close();
  });

  it('hands the job of a consumer that died to another', async () => {
    const dead = createBullTaskQueue({ connection: redis.server.connection, lockMs: 300, stalledCheckMs: 100, onError: () => undefined });
    const alive = createBullTaskQueue({ connection: redis.server.connection, lockMs: 300, stalledCheckMs: 100, onError: () => undefined });
    const taken = new Inbox<string>();
    const recovered = new Inbox<string>();
    const lost = new Inbox<string>();
    await dead.consume('default', 1, async (job, signal) => {
      taken.push(job.taskId);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      lost.push(job.taskId);
    });
    await dead.add([aTaskJob()]);
    await taken.atLeast(1);
    await alive.consume('default', 1, async (job) => recovered.push(job.taskId));
    // What a dead process leaves behind: a job that is active and whose lock nobody renews.
    await redis.admin.del('{weft:default}:weft-tasks-default:t-1.1:lock');
    expect(await recovered.atLeast(1)).toEqual(['t-1']);
    expect(await lost.atLeast(1)).toEqual(['t-1']);
    await Promise.all([dead.close(), alive.close()]);
  });

  it('drops what is no job of ours, and tells of it once', async () => {
    const told = new Inbox<Error>();
    const queue = createBullTaskQueue({ connection: redis.server.connection, onError: told.push });
    const handled = new Inbox<string>();
    await queue.consume('default', 3, async ({ taskId }) => handled.push(taskId));
    const board = openBoardQueues(redis.server.connection, ['default']);
    const { inputs: _inputs, ...without } = aTaskJob();
    const hostile: unknown[] = [null, 1, 'text', [], {}, without, { ...aTaskJob(), attempt: '1' }, { ...aTaskJob(), inherited: null }];
    await board.queues[0]?.addBulk(hostile.map((data, n) => ({ name: 'x', data: data as never, opts: { jobId: `hostile-${n}` } })));
    // Added as whoever has no library would: data that are no JSON, and 100 MB of them.
    await queue.add([aTaskJob({ taskId: 'held', pool: 'other' }), aTaskJob({ taskId: 'long', pool: 'other' })]);
    const key = (id: string): string => `{weft:other}:weft-tasks-other:${id}`;
    await redis.admin.hset(key('held.1'), 'data', '{no JSON');
    await redis.admin.hset(key('long.1'), 'data', 'x'.repeat(100 * 1024 ** 2));
    await queue.consume('other', 1, async ({ taskId }) => handled.push(taskId));
    await queue.add([aTaskJob({ taskId: 'ours' }), aTaskJob({ taskId: 'ours too', pool: 'other' })]);
    expect((await handled.atLeast(2)).sort()).toEqual(['ours', 'ours too']);
    expect(told.items.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^job "hostile-\d" of pool default is not a task and was dropped/),
      expect.stringMatching(/^job "(held|long).1" of pool other is not a task and was dropped/),
    ]);
    expect(await queue.depth('other')).toMatchObject({ waiting: 0, delayed: 0, failed: 0 });
    await board.close();
    await queue.close();
  });

  it('closes although Redis is gone', async () => {
    const short = await startRedis();
    const queue = createBullTaskQueue({ connection: short.connection, closeLimitMs: 100, onError: () => undefined });
    await queue.consume('default', 2, async () => undefined);
    const watcher = new Redis(short.connection);
    await watcher.ping();
    const lost = new Promise((resolve) => watcher.on('error', () => undefined).once('close', resolve));
    await short.stop();
    await lost;
    watcher.disconnect();
    await expect(queue.close()).resolves.toBeUndefined();
  });

  it('goes on after Redis was restarted', async () => {
    const durable = await startRedis({ durable: true });
    const queue = createBullTaskQueue({ connection: durable.connection, onError: () => undefined });
    const inbox = new Inbox<string>();
    await queue.consume('default', 2, async (job) => inbox.push(job.taskId));
    await queue.add([aTaskJob({ taskId: 'before' })]);
    await inbox.atLeast(1);
    await durable.restart();
    await queue.add([aTaskJob({ taskId: 'after' })]);
    expect((await inbox.atLeast(2)).at(-1)).toBe('after');
    await queue.close();
    await durable.stop();
  });
});
