import { partitionOf, PARTITIONS } from '@weft/run-store';
import { aRunHeader, createFakeRunStore, Faults, FakeRunStoreData, misbehaving } from '@weft/testing';
import { owning, RUN, submitted, succeeded, wholeLog, outputsOf } from '../../test/owned-runs.js';

/** Lets everything that waits for nothing but other promises happen. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('replicas', () => {
  it('share the partitions equally, as they come and go', async () => {
    const data = new FakeRunStoreData();
    const first = (await owning(createFakeRunStore(data), 'a')).owner;
    expect(first.heldPartitions).toBe(PARTITIONS);
    const second = (await owning(createFakeRunStore(data), 'b')).owner;
    await settled();
    expect([first, second].map((owner) => owner.heldPartitions)).toEqual([32, 32]);
    const third = (await owning(createFakeRunStore(data), 'c')).owner;
    await settled();
    expect([first, second, third].map((owner) => owner.heldPartitions)).toEqual([22, 21, 21]);
    await first.close();
    await settled();
    expect([first, second, third].map((owner) => owner.heldPartitions)).toEqual([0, 32, 32]);
    await Promise.all([second.close(), third.close()]);
    expect([...data.leases.values()].filter(({ owner }) => owner !== '')).toEqual([]);
  });

  it('take what one of them held that fell silent', async () => {
    let now = 0;
    const data = new FakeRunStoreData(() => now);
    await owning(createFakeRunStore(data), 'a');
    const second = await owning(createFakeRunStore(data), 'b');
    await settled();
    expect(second.owner.heldPartitions).toBe(32);
    // A dead process hears nothing and has no timers.
    data.replicaNews.clear();
    now = 60_001;
    second.late.splice(0).forEach((work) => work());
    await settled();
    expect(second.owner.heldPartitions).toBe(PARTITIONS);
    await second.owner.close();
  });

  it('hand a run over only when what its actor was writing is written', async () => {
    const data = new FakeRunStoreData();
    const faults = new Faults();
    const first = await owning(misbehaving(createFakeRunStore(data), faults));
    await submitted(createFakeRunStore(data));
    await first.executor.commands.atLeast(2);
    const append = faults.holdAnswer('log.append');
    const offered = first.executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    await append.reached;
    const closed = first.owner.close();
    const second = await owning(createFakeRunStore(data), 'other');
    await settled();
    expect(second.owner.actorOf(RUN)).toBeUndefined();
    append.open();
    expect(await offered).toBe(true);
    await closed;
    expect(await second.executor.commands.atLeast(1)).toMatchObject([{ type: 'RunTask', taskId: `${RUN}-2` }]);
    await second.executor.actor?.offer(succeeded(`${RUN}-2`, 'b'));
    expect((await wholeLog(createFakeRunStore(data))).map(({ event }) => event.type)).toEqual([
      'RunAccepted',
      'TaskSucceeded',
      'TaskSucceeded',
      'RunEnded',
    ]);
    await second.owner.close();
  });
});

describe('a run that is being loaded', () => {
  it('is read again where its partition was lost and taken again meanwhile', async () => {
    let now = 0;
    const data = new FakeRunStoreData(() => now);
    const faults = new Faults();
    const store = createFakeRunStore(data);
    const mine = await owning(misbehaving(createFakeRunStore(data), faults));
    const read = faults.holdAnswer('log.read');
    await submitted(store);
    await read.reached;
    now = 60_001;
    const theirs = (await store.leases.acquire('other', 60_000)).find(({ partition }) => partition === partitionOf(RUN));
    if (!theirs) throw new Error('the lease did not lapse');
    mine.late.splice(0).forEach((work) => work());
    await settled();
    expect(mine.owner.heldPartitions).toBe(0);
    await store.log.append(theirs, RUN, 1, [{ ...succeeded(`${RUN}-1`, 'a') }]);
    now = 180_000;
    mine.late.splice(0).forEach((work) => work());
    await settled();
    expect(mine.owner.heldPartitions).toBe(PARTITIONS);
    read.open();
    const [due] = await mine.executor.commands.atLeast(1);
    expect(due).toMatchObject({ type: 'RunTask', taskId: `${RUN}-2` });
    await mine.executor.actor?.offer(succeeded(`${RUN}-2`, 'b'));
    expect((await wholeLog(store)).map(({ event }) => event.type)).toEqual(['RunAccepted', 'TaskSucceeded', 'TaskSucceeded', 'RunEnded']);
    await mine.owner.close();
  });

  it('is read again for what was appended last while it was being loaded', async () => {
    const data = new FakeRunStoreData();
    const faults = new Faults();
    const store = createFakeRunStore(data);
    const { owner, executor } = await owning(misbehaving(createFakeRunStore(data), faults));
    const read = faults.holdAnswer('log.read');
    await submitted(store);
    await read.reached;
    await store.intake.request(RUN, { type: 'CancelAsked', reason: 'enough' });
    read.open();
    const commands = await executor.commands.atLeast(3);
    expect(commands.map(({ type }) => type)).toEqual(['RunTask', 'RunTask', 'CancelTasks']);
    await owner.close();
  });
});

describe('many runs that are taken up at the same time', () => {
  it('have the logs of a few of them in memory at once, and are all taken up', async () => {
    const store = createFakeRunStore();
    const runIds = Array.from({ length: 100 }, (_, n) => `r-${n}`);
    for (const runId of runIds) await submitted(store, runId);
    const read = store.log.read.bind(store.log);
    const taken = new Set<string>();
    let [now, most] = [0, 0];
    store.log.read = async (...args) => {
      // Those that are taken up read on from where they are.
      if (taken.has(args[0])) return read(...args);
      taken.add(args[0]);
      most = Math.max(most, (now += 1));
      await settled();
      return read(...args).finally(() => (now -= 1));
    };
    const { owner, executor } = await owning(store);
    await executor.commands.atLeast(200);
    expect(runIds.filter((runId) => owner.actorOf(runId) === undefined)).toEqual([]);
    expect(most).toBe(16);
    await owner.close();
  });
});

describe('a run that is begun again', () => {
  it('goes on although its owner was just about to see that it had ended', async () => {
    const data = new FakeRunStoreData();
    const faults = new Faults();
    const store = createFakeRunStore(data);
    const { owner, executor } = await owning(misbehaving(createFakeRunStore(data), faults));
    await submitted(store);
    await executor.commands.atLeast(2);
    const failure = { code: 'TOOL_EXIT', message: 'no' };
    await executor.actor?.offer({ type: 'TaskFailed', taskId: `${RUN}-1`, attempt: 1, failure, retryable: false });
    await executor.actor?.offer({ type: 'TaskCancelled', taskId: `${RUN}-2`, attempt: 1 });
    await wholeLog(store);
    await settled();
    const looks = faults.holdAnswer('reader.get');
    data.nudge(RUN, 4);
    await looks.reached;
    const { finishedAtMs: _end, ...header } = (await store.reader.get(RUN)) ?? aRunHeader();
    expect(await store.intake.reopen({ ...header, state: 'running' }, { type: 'RunRetried' })).toBe('reopened');
    looks.open();
    await settled();
    expect(owner.actorOf(RUN)?.state.phase).toBe('running');
    await owner.close();
  });
});

describe('a log that lost its newest entries', () => {
  it.each([
    ['is shorter', []],
    ['went on otherwise', ['nobody', 'nobody else'].map((taskId) => ({ type: 'TaskCancelled', taskId, attempt: 1 }))],
  ])('is replayed from its start where it %s', async (_how, instead) => {
    let now = 1_000;
    const data = new FakeRunStoreData(() => now);
    const { owner, executor, late } = await owning(createFakeRunStore(data));
    await submitted(createFakeRunStore(data));
    await executor.commands.atLeast(2);
    const before = executor.actor;
    expect(await before?.offer(succeeded(`${RUN}-1`, 'a'))).toBe(true);
    data.runs.get(RUN)?.log.splice(1);
    now = 2_000;
    for (const event of instead) await createFakeRunStore(data).intake.request(RUN, event);
    expect(await before?.offer(succeeded(`${RUN}-2`, 'b'))).toBe(false);
    expect(owner.actorOf(RUN)).toBeUndefined();
    late.splice(0).forEach((work) => work());
    expect((await executor.commands.atLeast(4)).slice(2)).toMatchObject([{ taskId: `${RUN}-1` }, { taskId: `${RUN}-2` }]);
    for (const task of [1, 2]) await executor.actor?.offer(succeeded(`${RUN}-${task}`, 'a'));
    await wholeLog(createFakeRunStore(data));
    expect(await outputsOf(createFakeRunStore(data))).toEqual({ o: ['a', 'a'] });
    await owner.close();
  });
});

describe('a store that was restarted', () => {
  it('finds every run going on from its log, with all that is still due asked for again', async () => {
    const data = new FakeRunStoreData();
    const { owner, executor } = await owning(createFakeRunStore(data));
    await submitted(createFakeRunStore(data));
    await executor.commands.atLeast(2);
    const restart = data.snapshot();
    const before = executor.actor;
    expect(await before?.offer(succeeded(`${RUN}-1`, 'a'))).toBe(true);
    restart();
    expect((await executor.commands.atLeast(4)).slice(2)).toMatchObject([{ taskId: `${RUN}-1` }, { taskId: `${RUN}-2` }]);
    expect([before?.isStopped, owner.actorOf(RUN) === before]).toEqual([true, false]);
    for (const task of [1, 2]) await executor.actor?.offer(succeeded(`${RUN}-${task}`, 'b'));
    await wholeLog(createFakeRunStore(data));
    expect(await outputsOf(createFakeRunStore(data))).toEqual({ o: ['b', 'b'] });
    await owner.close();
  });
});
