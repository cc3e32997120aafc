import type { RunStore } from '@weft/run-store';
import { createFakeRunStore } from '@weft/testing';
import fc from 'fast-check';
import { owning, RUN, submitted, succeeded, wholeLog } from '../../../test/owned-runs.js';
import { PlanCache } from '../../plans/plan-cache.js';
import type { PartitionOwner } from '../../runs/partition-owner.js';
import type { Batch } from './run-feed.js';
import { RunFeeds } from './run-feeds.js';
import { RunProjection } from './run-projection.js';
import { RunMemory } from '../../runs/memory/run-memory.js';

const TASKS = 12;

/** A run with so many tasks whose owner can be replaced, and the logs that are being read meanwhile. */
async function aRun(kept?: number) {
  const store = createFakeRunStore();
  let { owner, executor } = await owning(store, 'first');
  await submitted(store, RUN, { values: Array.from({ length: TASKS }, (_, i) => i) });
  await executor.commands.atLeast(TASKS);
  const plans = new PlanCache((hash) => store.log.getPlan(hash));
  const reading = { now: 0, ever: 0 };
  const reader: Pick<RunStore['reader'], 'follow'> = {
    async *follow(...args) {
      reading.now += 1;
      reading.ever += 1;
      try {
        yield* store.reader.follow(...args);
      } finally {
        reading.now -= 1;
      }
    },
  };
  const feeds = new RunFeeds({ reader, plans, memory: new RunMemory(Infinity), actorOf: (runId) => owner.actorOf(runId), kept });
  const header = await store.reader.get(RUN);
  if (!header) throw new Error('the run is not there');
  return {
    ...{ store, plans, feeds, header, reading },
    get owner(): PartitionOwner {
      return owner;
    },
    answer: (task: number) => owner.actorOf(RUN)?.offer(succeeded(`${RUN}-${task}`, 'a')),
    watch: (first: number, signal = new AbortController().signal) => feeds.watch(header, first, signal),
    async handOver(): Promise<void> {
      await owner.close();
      ({ owner, executor } = await owning(store, 'second'));
      await executor.commands.atLeast(1);
    },
    /** What the whole log tells. */
    async told(): Promise<Batch[]> {
      const projection = new RunProjection(header, await plans.get(header.planHash), new RunMemory(Infinity));
      return (await wholeLog(store)).map((entry) => ({ sequence: entry.sequence, type: entry.event.type, events: projection.tell(entry) }));
    },
  };
}

async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const found: Batch[] = [];
  for await (const batch of batches) found.push(batch);
  return found;
}

it('every watcher is told the same, whenever it comes, whatever it has seen, and whoever owns the run', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ comes: fc.nat({ max: TASKS }), first: fc.integer({ min: 1, max: TASKS + 3 }) }), { maxLength: 5 }),
      fc.option(fc.integer({ min: 1, max: TASKS - 1 }), { nil: undefined }),
      fc.constantFrom(2, 5, undefined),
      async (watchers, handOver, kept) => {
        const run = await aRun(kept);
        const seen: Promise<Batch[]>[] = [];
        for (let task = 0; task <= TASKS; task++) {
          for (const { comes, first } of watchers) if (comes === task) seen.push(all(run.watch(first)));
          if (task === handOver) await run.handOver();
          if (task > 0) await run.answer(task);
        }
        const told = await run.told();
        for (const [n, batches] of (await Promise.all(seen)).entries()) {
          const { first } = [...watchers].sort((a, b) => a.comes - b.comes)[n] ?? { first: 0 };
          expect(batches).toEqual(told.filter(({ sequence }) => sequence >= first));
        }
        expect(run.reading.now).toBe(0);
        await run.owner.close();
      },
    ),
    { numRuns: 40 },
  );
});

it('who keeps up with a run that is owned here needs no log, however many they are', async () => {
  const run = await aRun();
  const watchers = Array.from({ length: 5 }, () => run.watch(1));
  const firsts = await Promise.all(watchers.map((watcher) => watcher.next()));
  expect(new Set(firsts.map(({ value }) => (value as Batch).sequence))).toEqual(new Set([1]));
  await run.answer(1);
  const seconds = await Promise.all(watchers.map((watcher) => watcher.next()));
  expect(new Set(seconds.map(({ value }) => value as Batch)).size).toBe(1);
  expect(run.reading.now).toBe(0);
  for (const watcher of watchers) await watcher.return();
  await run.owner.close();
});

it('watchers of a run that is owned elsewhere read its log once', async () => {
  const run = await aRun();
  const elsewhere = new RunFeeds({ reader: run.store.reader, plans: run.plans, memory: new RunMemory(Infinity), actorOf: () => undefined });
  const follow = run.store.reader.follow.bind(run.store.reader);
  let reads = 0;
  run.store.reader.follow = (...args) => ((reads += 1), follow(...args));
  const seen = Array.from({ length: 5 }, () => all(elsewhere.watch(run.header, 1, new AbortController().signal)));
  for (let task = 1; task <= TASKS; task++) await run.answer(task);
  const results = await Promise.all(seen);
  expect(reads).toBe(1);
  expect(results[4]).toEqual(await run.told());
  await run.owner.close();
});

it('one who does not read holds up nobody, and finds everything when it does', async () => {
  const run = await aRun(2);
  const slow = run.watch(1);
  const first = (await slow.next()).value as Batch;
  const quick = all(run.watch(1));
  for (let task = 1; task <= TASKS; task++) await run.answer(task);
  const told = await run.told();
  expect(await quick).toEqual(told);
  expect([first, ...(await all(slow))]).toEqual(told);
  await run.owner.close();
});

it('who goes away while waiting leaves nothing behind', async () => {
  const run = await aRun();
  const going = new AbortController();
  const watcher = run.watch(1, going.signal);
  await watcher.next();
  const waiting = watcher.next();
  going.abort();
  expect((await waiting).done).toBe(true);
  expect(run.reading.now).toBe(0);
  await run.owner.close();
});
