import { LocalStorage } from '@weft/storage';
import { createFakeRunStore } from '@weft/testing';
import { owning, RUN, submitted, succeeded, wholeLog } from '../../test/owned-runs.js';
import { PlanCache } from '../dispatch/plan-cache.js';
import type { PartitionOwner } from './partition-owner.js';
import { RunQueries } from './run-queries.js';

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
    ...{ store, owner: stale, storage: new LocalStorage(), dataUri: 'file:///data/', beforeRetry: async () => undefined },
    plans: new PlanCache((hash) => store.log.getPlan(hash)),
  });
  expect(running?.state).not.toBe('succeeded');
  expect((await queries.get(RUN)).state).toBe('succeeded');
  expect((await queries.tasks({ runId: RUN, pageSize: 0, pageToken: '' })).tasks).toHaveLength(2);
  await owner.close();
});
