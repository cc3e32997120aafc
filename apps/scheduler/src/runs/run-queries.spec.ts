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
    ...{ store, owner, storage: new LocalStorage(), dataUri: 'file:///data/', beforeRetry: async () => undefined },
    plans: new PlanCache((hash) => store.log.getPlan(hash)),
    clock: { after: (_delayMs, work) => (late.push(work), () => late.splice(late.indexOf(work), 1)) },
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
