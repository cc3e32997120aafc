import type { run as pb } from '@weft/contracts';
import { LocalStorage } from '@weft/storage';
import { createFakeRunStore } from '@weft/testing';
import { owning, RUN, submitted, succeeded, wholeLog } from '../../../test/owned-runs.js';
import { PlanCache } from '../../plans/plan-cache.js';
import { RunQueries } from '../run-queries.js';
import { RunMemory } from '../../runs/memory/run-memory.js';

type Seen = Pick<pb.RunEvent, 'sequence' | 'ordinal' | 'event'>;

it('a watcher that comes back gets exactly what it has not seen, wherever it left', async () => {
  const store = createFakeRunStore();
  const { owner, executor } = await owning(store);
  await submitted(store);
  await executor.commands.atLeast(2);
  for (const task of [1, 2]) await executor.actor?.offer(succeeded(`${RUN}-${task}`, 'a'));
  await wholeLog(store);
  const plans = new PlanCache((hash) => store.log.getPlan(hash));
  const queries = new RunQueries({
    memory: new RunMemory(Infinity),
    readers: new RunMemory(Infinity),
    store,
    plans,
    owner,
    storage: new LocalStorage(),
    dataUri: 'file:///data/',
    beforeRetry: async () => undefined,
  });
  const watch = async (afterSequence: number, afterOrdinal?: number): Promise<Seen[]> => {
    const seen: Seen[] = [];
    const events = queries.watch({ runId: RUN, afterSequence, afterOrdinal }, new AbortController().signal);
    for await (const { sequence, ordinal, event } of events) seen.push({ sequence, ordinal, event });
    return seen;
  };
  const all = await watch(0);
  expect(all.some(({ ordinal }) => ordinal > 0)).toBe(true);
  for (const [at, { sequence, ordinal }] of all.entries()) {
    expect(await watch(sequence, ordinal)).toEqual(all.slice(at + 1));
    expect(await watch(sequence)).toEqual(all.filter((event) => event.sequence > sequence));
  }
  await owner.close();
});
