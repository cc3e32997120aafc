import type { EngineEvent, RunOptions } from '@weft/engine';
import { LocalStorage } from '@weft/storage';
import { aRunHeader, createFakeRunStore, FakeRunStoreData, Faults, misbehaving } from '@weft/testing';
import { owning, RUN, submitted, succeeded, wholeLog } from '../../test/owned-runs.js';
import { PlanCache } from '../plans/plan-cache.js';
import { toLogEvent } from '../runs/log-events.js';
import type { PartitionOwner } from '../runs/partition-owner.js';
import { RunQueries } from './run-queries.js';
import { RunMemory } from '../runs/memory/run-memory.js';

it('a replica that stood still while another brought the run to its end tells the end, not what it remembers', async () => {
  const store = createFakeRunStore();
  const { owner, executor } = await owning(store);
  await submitted(store);
  await executor.commands.atLeast(2);
  const running = owner.actorOf(RUN)?.header();
  for (const task of [1, 2]) await executor.actor?.offer(succeeded(`${RUN}-${task}`, 'a'));
  await wholeLog(store);
  const stale = { actorOf: () => ({ header: () => running, state: { tasks: new Map() } }) } as unknown as PartitionOwner;
  const queries = new RunQueries({
    memory: new RunMemory(Infinity),
    readers: new RunMemory(Infinity),
    ...{ store, owner: stale, storage: new LocalStorage(), dataUri: 'file:///data/', beforeRetry: async () => undefined },
    plans: new PlanCache((hash) => store.log.getPlan(hash)),
  });
  expect(running?.state).not.toBe('succeeded');
  expect((await queries.get(RUN)).state).toBe('succeeded');
  expect((await queries.tasks({ runId: RUN, pageSize: 0, pageToken: '' })).tasks).toHaveLength(2);
  await owner.close();
});

it('the tasks of a run that has ended are paged through with one replay, which is kept for a while', async () => {
  const store = createFakeRunStore();
  const { owner, executor } = await owning(store);
  await submitted(store);
  await executor.commands.atLeast(2);
  for (const task of [1, 2]) await executor.actor?.offer(succeeded(`${RUN}-${task}`, 'a'));
  await wholeLog(store);
  const read = store.reader.read.bind(store.reader);
  let replays = 0;
  store.reader.read = (...args) => ((replays += 1), read(...args));
  const late: (() => void)[] = [];
  const queries = new RunQueries({
    memory: new RunMemory(Infinity),
    readers: new RunMemory(Infinity),
    ...{ store, owner, storage: new LocalStorage(), dataUri: 'file:///data/', beforeRetry: async () => undefined },
    plans: new PlanCache((hash) => store.log.getPlan(hash)),
    clock: { now: () => 0, after: (_delayMs, work) => (late.push(work), () => late.splice(late.indexOf(work), 1)) },
  });
  const page = (pageToken: string) => queries.tasks({ runId: RUN, pageSize: 1, pageToken });
  const first = await page('');
  const second = await page(first.nextPageToken);
  expect([...first.tasks, ...second.tasks].map(({ taskId }) => taskId)).toEqual([`${RUN}-1`, `${RUN}-2`]);
  expect([second.nextPageToken, replays, late.length]).toEqual(['', 1, 1]);
  late[0]?.();
  await page('');
  expect(replays).toBe(2);
  await owner.close();
});

it('lists the runs of one project, of none, or all', async () => {
  const store = createFakeRunStore();
  const { owner } = await owning(store);
  for (const [runId, projectId] of [
    ['r-a', ''],
    ['r-b', 'al'],
  ] as const)
    await store.intake.create(aRunHeader({ runId, projectId }), toLogEvent({ type: 'RunRetried' }));
  const queries = new RunQueries({
    memory: new RunMemory(Infinity),
    readers: new RunMemory(Infinity),
    ...{ store, owner, storage: new LocalStorage(), dataUri: 'file:///data/', beforeRetry: async () => undefined },
    plans: new PlanCache((hash) => store.log.getPlan(hash)),
  });
  const listed = async (which: { projectId: string; withoutProject?: boolean }): Promise<string[]> => {
    const { runs } = await queries.list({ statuses: [], pageSize: 0, pageToken: '', labels: {}, ...which });
    return runs.map(({ runId }) => runId).sort();
  };
  expect(await listed({ projectId: '', withoutProject: true })).toEqual(['r-a']);
  expect(await listed({ projectId: '' })).toEqual(['r-a', 'r-b']);
  expect(await listed({ projectId: 'al' })).toEqual(['r-b']);
  await expect(listed({ projectId: 'al', withoutProject: true })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await owner.close();
});

describe('a retry', () => {
  const started = (n: number): EngineEvent => ({
    type: 'TaskStarted',
    taskId: `${RUN}-${n}`,
    attempt: 1,
    runnerId: 'r',
    runtime: 'process',
  });
  const stopped = (n: number): EngineEvent => ({ type: 'TaskCancelled', taskId: `${RUN}-${n}`, attempt: 1 });
  const failed = (n: number): EngineEvent => {
    const failure = { code: 'TOOL_EXIT', message: 'it failed' };
    return { type: 'TaskFailed', taskId: `${RUN}-${n}`, attempt: 1, failure, retryable: false };
  };
  const cancel: EngineEvent = { type: 'CancelAsked', reason: 'enough' };

  async function scene(options: Partial<RunOptions> = {}) {
    const data = new FakeRunStoreData();
    const faults = new Faults();
    const store = createFakeRunStore(data);
    const { owner, executor } = await owning(misbehaving(createFakeRunStore(data), faults));
    await submitted(store, RUN, { options });
    await executor.commands.atLeast(2);
    let times = 0;
    const beforeRetry = async (): Promise<void> => void (times += 1);
    const queries = new RunQueries({
      memory: new RunMemory(Infinity),
      readers: new RunMemory(Infinity),
      ...{ store, owner, storage: new LocalStorage(), dataUri: 'file:///data/', beforeRetry },
      plans: new PlanCache((hash) => store.log.getPlan(hash)),
    });
    return { store, owner, executor, queries, faults, brought: () => times };
  }

  it.each<[string, EngineEvent[], Partial<RunOptions>, RegExp]>([
    ['is being cancelled', [cancel], {}, /^run r-1 is being cancelled: retry it when it has ended$/],
    [
      'is being stopped after a failure',
      [failed(1)],
      {},
      /has failed, and what is under way is being stopped: retry it when it has ended$/,
    ],
    ['goes on after a failure', [failed(1)], { failureMode: 'continue' }, /does not need the failed step still goes on: retry it when/],
  ])('of a run that %s is refused, not taken and forgotten', async (_, events, options, why) => {
    const { owner, executor, queries } = await scene(options);
    for (const event of events) await executor.actor?.offer(event);
    await expect(queries.retry(RUN)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(why) });
    await owner.close();
  });

  it('is refused also where the owner has not read of the cancel yet', async () => {
    const { store, owner, queries, faults } = await scene();
    const read = faults.hold('log.read');
    await store.intake.request(RUN, toLogEvent(cancel));
    await read.reached;
    await expect(queries.retry(RUN)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    read.open();
    await owner.close();
  });

  it('is refused between the last answer and the end', async () => {
    const { owner, executor, queries, faults } = await scene();
    const seal = faults.hold('log.seal');
    await executor.actor?.offer(failed(1));
    await executor.actor?.offer(stopped(2));
    await seal.reached;
    await expect(queries.retry(RUN)).rejects.toMatchObject({ message: expect.stringContaining('is about to end') });
    seal.open();
    await owner.close();
  });

  it.each<[string, number, string | undefined]>([
    ['once', 1, undefined],
    ['again and again', Infinity, 'UNAVAILABLE'],
  ])('of a run that goes to the archive meanwhile, %s', async (_, gone, code) => {
    const { store, owner, executor, queries, brought } = await scene();
    await executor.actor?.offer(started(1));
    await executor.actor?.offer(failed(1));
    await executor.actor?.offer(stopped(2));
    await wholeLog(store);
    let left = gone;
    const reopen = store.intake.reopen.bind(store.intake);
    store.intake.reopen = async (...args) => (left-- > 0 ? 'gone' : reopen(...args));
    const retried = queries.retry(RUN);
    if (code !== undefined) await expect(retried).rejects.toMatchObject({ code, message: expect.stringContaining('ask again') });
    else expect((await retried).state).toBe('running');
    // Each time what it needs is looked for, and found or told as missing.
    expect(brought()).toBe(code === undefined ? gone + 1 : 20);
    await owner.close();
  });

  it('of a run that goes on is answered as it is, and after the end says since when', async () => {
    const { store, owner, executor, queries } = await scene();
    expect((await queries.retry(RUN)).retriedAtMs).toBeUndefined();
    await executor.actor?.offer(started(1));
    await executor.actor?.offer(failed(1));
    await executor.actor?.offer(stopped(2));
    await wholeLog(store);
    const { state, retriedAtMs, failure } = await queries.retry(RUN);
    expect([state, typeof retriedAtMs, failure]).toEqual(['running', 'number', undefined]);
    await owner.close();
  });
});
