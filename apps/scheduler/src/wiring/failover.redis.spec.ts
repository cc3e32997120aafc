/** A failover goes by: the address leads to another Redis, and the one that everybody is connected to takes no writes and says nothing any more. */
import { createRedisResultStore } from '@weft/call-cache';
import { createBullTaskQueue } from '@weft/queue';
import { createRedisRunnerRegistry } from '@weft/registry';
import { createRedisRunStore, partitionOf } from '@weft/run-store';
import { aRunHeader, aRunner, aStoredResult, aTaskJob, Inbox, type RedisPair, startRedisPair } from '@weft/testing';
import { createRedisDemandChannel } from '../admission/peers/redis-demand-channel.adapter.js';
import { createRedisProjectSlots } from '../admission/slots/redis-project-slots.adapter.js';

const accepted = { type: 'RunAccepted', runId: 'r-1' };
const OWNER = { project: 'p', runId: 'r-1', token: 1 };
const KEY = 'a'.repeat(64);

describe('after a failover', () => {
  let redis: RedisPair;
  beforeAll(async () => {
    redis = await startRedisPair();
  });
  afterAll(() => redis.stop());

  it('everybody writes to the new master and listens to it: store, queue, registry, results, slots, demand', async () => {
    const link = { redis: redis.connection, onError: () => undefined };
    const [store, registry, slots, demand] = [
      createRedisRunStore(link),
      createRedisRunnerRegistry(link),
      createRedisProjectSlots(link),
      createRedisDemandChannel(link),
    ];
    const queue = createBullTaskQueue({ connection: redis.connection, onError: () => undefined });
    const results = createRedisResultStore({ ...link, ttlMs: 600_000 });
    const heard = {
      ...{ nudges: new Inbox<number>(), resets: new Inbox<string>(), jobs: new Inbox<string>(), runners: new Inbox<string>() },
      ...{ results: new Inbox<string>(), slots: new Inbox<string>(), demand: new Inbox<string>() },
    };
    await store.intake.create(aRunHeader(), accepted);
    const partition = partitionOf('r-1');
    await store.nudges.subscribe(
      partition,
      (_runId, sequence) => heard.nudges.push(sequence),
      () => heard.resets.push('reset'),
    );
    await queue.consume('default', 1, async ({ taskId }) => heard.jobs.push(taskId));
    await queue.add([aTaskJob({ taskId: 'before' })]);
    await heard.jobs.atLeast(1);
    await registry.watch(() => heard.runners.push('changed'));
    await registry.register(aRunner(), 600_000);
    await heard.runners.atLeast(1);
    await results.look(KEY, 'first');
    await results.subscribe(KEY, heard.results.push);
    expect(await slots.acquire(OWNER, 1, ['r-1-1'])).toBe(1);
    expect(await slots.acquire(OWNER, 1, ['r-1-2'])).toBe(0);
    await slots.watch((project) => heard.slots.push(project ?? 'all'));
    await demand.subscribe(heard.demand.push);

    await redis.failOver();

    expect(await store.intake.request('r-1', { type: 'CancelAsked' })).toBe(true);
    await heard.resets.atLeast(1);
    await store.intake.request('r-1', { type: 'CancelAsked' });
    expect((await heard.nudges.atLeast(1)).at(-1)).toBeGreaterThan(1);
    await queue.add([aTaskJob({ taskId: 'after' })]);
    expect((await heard.jobs.atLeast(2)).at(-1)).toBe('after');
    const known = heard.runners.items.length;
    await registry.register(aRunner({ runnerId: 'another' }), 600_000);
    await heard.runners.atLeast(known + 1);
    await results.put(KEY, aStoredResult(), 'first');
    await heard.results.atLeast(1);
    await slots.release(OWNER, ['r-1-1']);
    await heard.slots.atLeast(1);
    // What is told while a connection is made is not told: it is said again, as replicas do.
    while (heard.demand.items.length === 0) await demand.publish('x').catch(() => undefined);
    await Promise.all([queue.close(), registry.close(), results.close(), slots.close(), demand.close(), store.close()]);
  });
});
