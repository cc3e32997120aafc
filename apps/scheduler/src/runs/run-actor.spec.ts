import { jest } from '@jest/globals';
import type { CwlObject } from '@weft/plan';
import { partitionOf } from '@weft/run-store';
import fc from 'fast-check';
import { aRunHeader, createFakeRunStore, Faults, FakeRunStoreData, misbehaving } from '@weft/testing';
import { logger, owning, RUN, submitted, succeeded, wholeLog, outputsOf } from '../../test/owned-runs.js';
import { toLogEvent } from './log-events.js';
import { ReportRouter } from '../execution/reports.js';
import type { OwnedRun } from './owned-run.js';
import { RunActor } from './run-actor.js';

function retire(run: OwnedRun | undefined): Promise<void> {
  if (!(run instanceof RunActor)) throw new Error('nobody owns the run here');
  return run.retire();
}

describe('a run in the hands of its owner', () => {
  it('is picked up when it is created, and sealed with its final header when its last task has answered', async () => {
    const store = createFakeRunStore();
    const { owner, executor } = await owning(store);
    await submitted(store);
    const tasks = await executor.commands.atLeast(2);
    expect(tasks.map((command) => command.type)).toEqual(['RunTask', 'RunTask']);
    void executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    void executor.actor?.offer(succeeded(`${RUN}-2`, 'b'));
    const log = await wholeLog(store);
    expect(log.map(({ event }) => event.type)).toEqual(['RunAccepted', 'TaskSucceeded', 'TaskSucceeded', 'RunEnded']);
    expect(await store.reader.get(RUN)).toMatchObject({ state: 'succeeded' });
    expect(await outputsOf(store)).toEqual({ o: ['a', 'b'] });
    await owner.close();
  });

  const failure = { code: 'TOOL_EXIT', message: 'no' };
  it.each<[string, (outputs: CwlObject) => Promise<CwlObject>, CwlObject, CwlObject | undefined]>([
    ['has in its header what succeeded', async (outputs) => outputs, { o: ['a', null] }, undefined],
    ['completes that', async () => ({ o: ['A', null] }), { o: ['A', null] }, { o: ['A', null] }],
    ['has failed all the same where that is not to be had', () => Promise.reject(new Error('gone')), { o: null }, { o: null }],
  ])('that went on after a failure %s', async (_what, complete, outputs, written) => {
    const store = createFakeRunStore();
    const { owner, executor } = await owning(store, 'me', complete);
    await submitted(store, RUN, { options: { failureMode: 'continue' } });
    await executor.commands.atLeast(2);
    void executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    void executor.actor?.offer({ type: 'TaskFailed', taskId: `${RUN}-2`, attempt: 1, failure, retryable: false });
    const log = await wholeLog(store);
    const told = { status: 'failed', failure: { code: 'TOOL_EXIT' } };
    expect(log.at(-1)?.event).toMatchObject({ type: 'RunEnded', ...told, ...(written && { outputs: written }) });
    if (written === undefined) expect(log.at(-1)?.event).not.toHaveProperty('outputs');
    expect(await store.reader.get(RUN)).toMatchObject({ state: 'failed', failure });
    expect(await outputsOf(store)).toEqual(outputs);
    await owner.close();
  });

  it('goes on after a take-over with exactly the tasks whose answers are due', async () => {
    const data = new FakeRunStoreData();
    const first = await owning(createFakeRunStore(data));
    await submitted(createFakeRunStore(data));
    await first.executor.commands.atLeast(2);
    await first.executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    await first.owner.close();
    const second = await owning(createFakeRunStore(data));
    const [due] = await second.executor.commands.atLeast(1);
    expect(due).toMatchObject({ type: 'RunTask', taskId: `${RUN}-2`, attempt: 1 });
    expect(second.executor.commands.items).toHaveLength(1);
    await second.owner.close();
  });

  it('is not ended by an actor that was stopped while it read the last answers', async () => {
    const data = new FakeRunStoreData();
    const faults = new Faults();
    const store = createFakeRunStore(data);
    const { owner, executor } = await owning(misbehaving(createFakeRunStore(data), faults));
    await submitted(store);
    await executor.commands.atLeast(2);
    const read = faults.holdAnswer('log.read');
    await Promise.all([1, 2].map((task) => store.intake.request(RUN, toLogEvent(succeeded(`${RUN}-${task}`, 'a')))));
    await read.reached;
    const first = executor.actor;
    const ended: unknown[] = [];
    executor.ending = async (actor): Promise<void> => void ended.push(actor);
    const retired = retire(first);
    read.open();
    await retired;
    data.nudge(RUN, 3);
    expect((await wholeLog(store)).at(-1)?.event).toMatchObject({ type: 'RunEnded', status: 'succeeded' });
    expect(ended.map((actor) => actor === first)).toEqual([false]);
    await owner.close();
  });

  it('takes a cancel that came in between in the order of the log', async () => {
    const faults = new Faults();
    const data = new FakeRunStoreData();
    const { owner, executor } = await owning(misbehaving(createFakeRunStore(data), faults));
    await submitted(createFakeRunStore(data));
    await executor.commands.atLeast(2);
    const append = faults.hold('log.append');
    const offered = executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    await append.reached;
    await createFakeRunStore(data).intake.request(RUN, toLogEvent({ type: 'CancelAsked', reason: 'enough' }));
    append.open();
    await offered;
    const commands = await executor.commands.atLeast(3);
    expect(commands[2]).toEqual({ type: 'CancelTasks', tasks: [1, 2].map((n) => ({ taskId: `${RUN}-${n}`, attempt: 1 })) });
    await executor.actor?.offer({ type: 'TaskCancelled', taskId: `${RUN}-2`, attempt: 1 });
    const log = await wholeLog(createFakeRunStore(data));
    expect(log.map(({ event }) => event.type)).toEqual(['RunAccepted', 'CancelAsked', 'TaskSucceeded', 'TaskCancelled', 'RunEnded']);
    expect(await createFakeRunStore(data).reader.get(RUN)).toMatchObject({ state: 'cancelled' });
    await owner.close();
  });

  it('fails by its time limit when that has passed, not as if somebody had cancelled it', async () => {
    const store = createFakeRunStore();
    const { owner, executor, late } = await owning(store);
    await submitted(store, RUN, { options: { deadlineMs: 7_000 } });
    await executor.commands.atLeast(2);
    late.forEach((work) => work());
    await executor.commands.atLeast(3);
    for (const n of [1, 2]) await executor.actor?.offer({ type: 'TaskCancelled', taskId: `${RUN}-${n}`, attempt: 1 });
    await wholeLog(store);
    expect(await store.reader.get(RUN)).toMatchObject({
      state: 'failed',
      failure: { code: 'RUN_TIME_LIMIT', message: expect.stringContaining('longer than its time limit of 7 s') },
    });
    await owner.close();
  });

  it('that was sealed already is not sealed for ever', async () => {
    const faults = new Faults();
    const data = new FakeRunStoreData();
    const store = createFakeRunStore(data);
    const { owner, executor } = await owning(misbehaving(createFakeRunStore(data), faults));
    await submitted(store);
    await executor.commands.atLeast(2);
    const [first, second] = [faults.hold('log.seal'), faults.hold('log.seal')];
    await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    await executor.actor?.offer(succeeded(`${RUN}-2`, 'b'));
    await first.reached;
    const lease = (await store.leases.acquire('me', 60_000)).find(({ partition }) => partition === partitionOf(RUN));
    if (!lease) throw new Error('the owner has no lease');
    const header = { ...aRunHeader({ runId: RUN, planHash: 'h' }), state: 'succeeded' as const };
    expect(await store.log.seal(lease, header, 3, toLogEvent({ type: 'RunEnded', status: 'succeeded', outputs: {} }))).toMatchObject({
      ok: true,
    });
    first.open();
    expect(await executor.actor?.offer({ type: 'CancelAsked', reason: 'late' })).toBe(false);
    expect(faults.unmet).toEqual(['log.seal']);
    second.open();
    await owner.close();
  });

  it.each(['seal', 'read'] as const)(
    'is not taken for lost by a read that is under way while it is sealed (%s answered first)',
    async (order) => {
      const errors = jest.spyOn(logger, 'error');
      const faults = new Faults();
      const data = new FakeRunStoreData();
      const store = createFakeRunStore(data);
      const { owner, executor } = await owning(misbehaving(createFakeRunStore(data), faults));
      await submitted(store);
      await executor.commands.atLeast(2);
      const { actor } = executor;
      const types: string[] = [];
      const stopped = new Promise<void>((resolve) => {
        actor?.listen({ applied: ({ type }) => void types.push(type), stopped: resolve });
      });
      await actor?.offer(succeeded(`${RUN}-1`, 'a'));
      // The store tells of the end by another way than it answers.
      const [seal, read] = [faults.holdAnswer('log.seal'), faults.holdAnswer('log.read')];
      await actor?.offer(succeeded(`${RUN}-2`, 'b'));
      await Promise.all([seal.reached, read.reached]);
      for (const gate of order === 'seal' ? [seal, read] : [read, seal]) {
        gate.open();
        // What was waiting for that gate goes on before the other opens.
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      await stopped;
      await retire(actor);
      expect(types).toEqual(['TaskSucceeded', 'TaskSucceeded', 'RunEnded']);
      expect(errors.mock.calls).toEqual([]);
      errors.mockRestore();
      await owner.close();
    },
  );

  describe('is told to be lost, once, where the store has lost its newest writes, and at no other time', () => {
    /** What was said of losses, and how to make the store forget. */
    async function scene() {
      const errors = jest.spyOn(logger, 'error');
      const lost = (): string[] =>
        errors.mock.calls
          .map(([fields]) => (fields as unknown as { err: Error }).err)
          .filter(({ name }) => name === 'LogDivergedError')
          .map(({ message }) => message);
      const faults = new Faults();
      const data = new FakeRunStoreData();
      const store = createFakeRunStore(data);
      const own = await owning(misbehaving(createFakeRunStore(data), faults));
      await submitted(store);
      await own.executor.commands.atLeast(2);
      return { ...own, data, store, faults, lost, done: () => errors.mockRestore() };
    }

    const SAID = `the log of run ${RUN} does not hold entry 2 as it was read: the store has lost its newest writes`;

    it('by the reconnect after it: the run goes on from what is left', async () => {
      const { owner, executor, data, lost, done } = await scene();
      const restore = data.snapshot();
      await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
      restore();
      expect(await executor.commands.atLeast(4)).toMatchObject([1, 2, 1, 2].map((n) => ({ type: 'RunTask', taskId: `${RUN}-${n}` })));
      expect(lost()).toEqual([SAID]);
      done();
      await owner.close();
    });

    it('by the reconnect after it, where nothing of the run is left', async () => {
      const { owner, executor, data, lost, done } = await scene();
      await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
      data.runs.clear();
      for (const tell of data.resets) tell();
      await new Promise((resolve) => setImmediate(resolve));
      expect(lost()).toEqual([SAID]);
      expect(owner.activeRuns).toBe(0);
      done();
      await owner.close();
    });

    it('by the next append, where no connection broke', async () => {
      const { owner, executor, data, lost, done } = await scene();
      await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
      data.runs.get(RUN)?.log.pop();
      expect(await executor.actor?.offer({ type: 'CancelAsked', reason: 'enough' })).toBe(false);
      expect(lost()).toEqual([SAID]);
      done();
      await owner.close();
    });

    it('by the next append, where nothing of the run is left', async () => {
      const { owner, executor, data, lost, done } = await scene();
      await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
      data.runs.delete(RUN);
      expect(await executor.actor?.offer({ type: 'CancelAsked', reason: 'enough' })).toBe(false);
      expect(lost()).toEqual([SAID]);
      done();
      await owner.close();
    });

    it('not by a reconnect after which all is there, nor where the run has ended meanwhile', async () => {
      const { owner, executor, data, store, lost, done } = await scene();
      await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
      for (const tell of data.resets) tell();
      await executor.commands.atLeast(3);
      await executor.actor?.offer(succeeded(`${RUN}-2`, 'b'));
      for (const tell of data.resets) tell();
      await wholeLog(store);
      await store.reader.remove(RUN);
      for (const tell of data.resets) tell();
      await new Promise((resolve) => setImmediate(resolve));
      expect(lost()).toEqual([]);
      done();
      await owner.close();
    });

    /** However reads, the sealing, what comes late and the run's leaving lie between each other. */
    it('not while it is sealed, in whatever order the store carries things out and answers', async () => {
      const points = ['log.seal', 'log.read', 'log.append'] as const;
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.boolean(), async (choices, leaves) => {
          const { owner, executor, data, store, faults, lost, done } = await scene();
          const { actor } = executor;
          const stopped = new Promise<void>((resolve) => actor?.listen({ applied: () => undefined, stopped: resolve }));
          await actor?.offer(succeeded(`${RUN}-1`, 'a'));
          const gates = points.flatMap((point) => [faults.hold(point), faults.holdAnswer(point)]);
          const late = [actor?.offer(succeeded(`${RUN}-2`, 'b')), actor?.offer(succeeded(`${RUN}-2`, 'b'))];
          data.nudge(RUN, 3);
          while (gates.length > 0) {
            const [gate] = gates.splice((choices.next().value as number) % gates.length, 1);
            gate?.open();
            for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
            data.nudge(RUN, data.runs.get(RUN)?.log.length ?? 0);
            void actor?.offer({ type: 'CancelAsked', reason: 'late' });
            if (leaves) await store.reader.remove(RUN);
          }
          await Promise.all([...late, stopped]);
          await retire(actor);
          expect(lost()).toEqual([]);
          done();
          await owner.close();
        }),
        { numRuns: 60 },
      );
    });
  });

  it('does not read what it has appended itself, though it is told of it', async () => {
    const data = new FakeRunStoreData();
    const store = createFakeRunStore(data);
    const { owner, executor } = await owning(store);
    await submitted(store);
    await executor.commands.atLeast(2);
    const read = jest.spyOn(store.log, 'read');
    await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    data.nudge(RUN, 2);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(read).not.toHaveBeenCalled();
    // What others append it does read.
    data.nudge(RUN, 3);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(read).toHaveBeenCalledTimes(1);
    await owner.close();
  });

  it('that somebody else has brought to its end is told to have ended, so that it leaves the store', async () => {
    const data = new FakeRunStoreData();
    const store = createFakeRunStore(data);
    const found: number[] = [];
    const { owner, executor } = await owning(store, 'me', undefined, (finishedAtMs) => found.push(finishedAtMs));
    await submitted(store);
    await executor.commands.atLeast(2);
    expect(found).toEqual([]);
    const stored = data.runs.get(RUN);
    if (stored) stored.header = { ...stored.header, state: 'failed', finishedAtMs: 7 };
    for (const tell of data.resets) tell();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([new Set(found), owner.activeRuns]).toEqual([new Set([7]), 0]);
    await owner.close();
  });

  it('is left alone by an owner whose lease was taken over', async () => {
    let now = 0;
    const data = new FakeRunStoreData(() => now);
    const first = await owning(createFakeRunStore(data));
    await submitted(createFakeRunStore(data));
    await first.executor.commands.atLeast(2);
    now = 120_000;
    const leases = await createFakeRunStore(data).leases.acquire('other', 60_000);
    expect(leases.length).toBe(64);
    await first.executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    expect(first.owner.actorOf(RUN)).toBeUndefined();
    expect((await createFakeRunStore(data).log.read(RUN, 0)).map(({ event }) => event.type)).toEqual(['RunAccepted']);
    await first.owner.close();
  });

  it('goes on by itself after an append whose answer was lost', async () => {
    const faults = new Faults();
    const data = new FakeRunStoreData();
    const { owner, executor, late } = await owning(misbehaving(createFakeRunStore(data), faults));
    await submitted(createFakeRunStore(data));
    await executor.commands.atLeast(2);
    faults.loseAnswer('log.append');
    expect(await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'))).toBe(false);
    expect(owner.actorOf(RUN)).toBeUndefined();
    late.splice(0).forEach((work) => work());
    expect((await executor.commands.atLeast(3))[2]).toMatchObject({ type: 'RunTask', taskId: `${RUN}-2` });
    await owner.close();
  });

  it('is loaded again where it could not be loaded', async () => {
    const faults = new Faults();
    const data = new FakeRunStoreData();
    await submitted(createFakeRunStore(data));
    faults.fail('log.read');
    const { owner, executor, late } = await owning(misbehaving(createFakeRunStore(data), faults));
    expect(owner.actorOf(RUN)).toBeUndefined();
    late.splice(0).forEach((work) => work());
    await executor.commands.atLeast(2);
    expect(owner.actorOf(RUN)).toBeDefined();
    await owner.close();
  });

  it('does not lose an answer that was offered to an owner who had lost the lease', async () => {
    let now = 0;
    const data = new FakeRunStoreData(() => now);
    const store = createFakeRunStore(data);
    const { owner, executor } = await owning(createFakeRunStore(data));
    await submitted(store);
    await executor.commands.atLeast(2);
    now = 120_000;
    await store.leases.acquire('other', 60_000);
    await new ReportRouter(() => owner, store.intake).report(RUN, succeeded(`${RUN}-1`, 'a'));
    expect((await store.log.read(RUN, 0)).map(({ event }) => event.type)).toEqual(['RunAccepted', 'TaskSucceeded']);
    await owner.close();
  });

  it('settles an answer that meets the end of the run on its way', async () => {
    const faults = new Faults();
    const data = new FakeRunStoreData();
    const { owner, executor } = await owning(misbehaving(createFakeRunStore(data), faults));
    await submitted(createFakeRunStore(data));
    await executor.commands.atLeast(2);
    await executor.actor?.offer(succeeded(`${RUN}-1`, 'a'));
    const [seal, append] = [faults.hold('log.seal'), faults.holdAnswer('log.append')];
    const last = executor.actor?.offer(succeeded(`${RUN}-2`, 'b'));
    await append.reached;
    const late = faults.holdAnswer('log.append');
    const duplicate = executor.actor?.offer(succeeded(`${RUN}-2`, 'b'));
    append.open();
    await Promise.all([last, seal.reached]);
    seal.open();
    await wholeLog(createFakeRunStore(data));
    late.open();
    expect(await duplicate).toBeDefined();
    await owner.close();
  });
});
