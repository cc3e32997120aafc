/** Runs in a real Redis, archived into memory, keep the contract; and what stays in Redis of an archived run. */
import { accepted, aRunHeader, FakeArchiveFiles, runArchiveContract, useRedis } from '@weft/testing';
import { archiveRun, createRedisRunStore, FileRunArchive, type Lease, partitionOf, type RunStore } from './index.js';
import { createKeys } from './keys.js';
import { RedisRunEntries } from './redis-run-entries.js';
import { RedisRunIndex } from './redis-run-index.js';
import { RedisRunObjects } from './redis-run-objects.js';
import { RedisRunRetention } from './redis-run-retention.js';

describe('redis run store with an archive', () => {
  const redis = useRedis();

  runArchiveContract(async () => {
    let store: RunStore | undefined;
    return {
      files: new FakeArchiveFiles(),
      open: (isArchived) => (store = createRedisRunStore({ redis: redis.server.connection, isArchived })),
      close: async () => {
        await store?.close();
      },
    };
  });

  it('keeps nothing of an archived run but counters, and the plan only for a while', async () => {
    const store = createRedisRunStore({ redis: redis.server.connection });
    const archive = new FileRunArchive(new FakeArchiveFiles());
    const leases = new Map((await store.leases.acquire('owner', 600_000)).map((lease) => [lease.partition, lease]));
    await store.intake.putPlan('a'.repeat(64), { planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: {} });
    const cycle = async (runId: string): Promise<void> => {
      const lease = leases.get(partitionOf(runId));
      if (!lease) throw new Error('no lease');
      await store.intake.create(aRunHeader({ runId }), accepted(runId));
      await store.taskLogs.append(runId, [{ taskId: 't', step: '', stream: 'stdout', text: 'x', atMs: 1 }]);
      await store.log.seal(lease, aRunHeader({ runId, state: 'succeeded' }), 1, { type: 'RunEnded' });
      expect(await archiveRun(store, archive, lease, runId)).toBe('evicted');
    };
    await cycle('r-1');
    const before = (await redis.admin.keys('*')).sort();
    for (let n = 2; n <= 200; n++) await cycle(`r-${n}`);
    const after = (await redis.admin.keys('*')).sort();
    expect(after.filter((key) => !before.includes(key) && !/^weft:\{p\d\d\}:(archived|lease)$/.test(key))).toEqual([]);
    expect(after.filter((key) => key.includes('r-'))).toEqual([]);
    expect(await redis.admin.ttl(`weft:plan:${'a'.repeat(64)}`)).toBeGreaterThan(0);
    await store.intake.putPlan('a'.repeat(64), { planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: {} });
    expect(await redis.admin.ttl(`weft:plan:${'a'.repeat(64)}`)).toBe(-1);
    await store.close();
  });

  describe('evicted by two at once, of whom one has lost the lease', () => {
    /** Does something else just before, or just after, one of its commands. */
    class Interrupted extends RedisRunIndex {
      before: Partial<Record<'add' | 'remove', () => Promise<unknown>>> = {};
      after: Partial<Record<'add' | 'remove', () => Promise<unknown>>> = {};

      override add(run: Parameters<RedisRunIndex['add']>[0]): Promise<void> {
        return this.around('add', () => super.add(run));
      }

      override remove(run: Parameters<RedisRunIndex['remove']>[0]): Promise<void> {
        return this.around('remove', () => super.remove(run));
      }

      private async around(what: 'add' | 'remove', act: () => Promise<void>): Promise<void> {
        const { [what]: before } = this.before;
        const { [what]: after } = this.after;
        delete this.before[what];
        delete this.after[what];
        await before?.();
        await act();
        await after?.();
      }
    }

    it.each([
      ['the other is through when the first puts the entry back', 'before', 'add'],
      ['the other is through when the first has put the entry back', 'after', 'add'],
      ['the first is through when the other has taken the entry out', 'after', 'remove'],
    ] as const)('leaves no entry: %s', async (_name, when, what) => {
      const store = createRedisRunStore({ redis: redis.server.connection });
      const keys = createKeys('weft:');
      const index = new Interrupted(redis.admin, keys);
      const objects = new RedisRunObjects(redis.admin, keys);
      const retention = new RedisRunRetention(redis.admin, keys, index, objects, new RedisRunEntries(redis.admin, keys, objects));
      await store.intake.create(aRunHeader(), accepted('r-1'));
      const of = partitionOf('r-1');
      const lost = (await store.leases.acquire('first', 600_000)).find(({ partition }) => partition === of);
      if (!lost) throw new Error('no lease');
      const held: Lease = { ...lost, owner: 'second', token: lost.token + 1 };
      await redis.admin.hset(keys.lease(of), 'owner', held.owner, 'token', held.token);
      await store.log.seal(held, aRunHeader({ state: 'succeeded' }), 1, { type: 'RunEnded' });
      const run = await retention.read('r-1');
      if (!run) throw new Error('not there');
      const [first, other] = [lost, held].map((lease) => () => retention.evict(lease, run, { cursor: '', bytes: 1 })) as [
        () => Promise<string>,
        () => Promise<string>,
      ];
      const answers: string[] = [];
      index[when] = { [what]: async () => answers.push(await (what === 'add' ? other : first)()) };
      answers.push(await (what === 'add' ? first : other)());
      expect(answers.sort()).toEqual(['evicted', expect.stringMatching(/fenced|gone/)]);
      expect((await redis.admin.keys('*')).filter((key) => /^weft:runs:.*\d{6}$/.test(key))).toEqual([]);
      await store.close();
    });
  });

  it('leaves no trace of a restore that died', async () => {
    const store = createRedisRunStore({ redis: redis.server.connection });
    const archive = new FileRunArchive(new FakeArchiveFiles());
    await store.intake.create(aRunHeader(), accepted('r-1'));
    const lease = (await store.leases.acquire('owner', 600_000)).find(({ partition }) => partition === partitionOf('r-1'));
    if (!lease) throw new Error('no lease');
    await store.log.seal(lease, aRunHeader({ state: 'failed' }), 1, { type: 'RunEnded' });
    await archiveRun(store, archive, lease, 'r-1');
    const found = await archive.read('r-1');
    if (!found) throw new Error('not archived');
    async function* broken(): AsyncGenerator<never[], void, undefined> {
      throw new Error('killed');
      yield [];
    }
    await expect(store.retention.restore({ ...found.run, chunks: broken() }, found.bytes)).rejects.toThrow('killed');
    const staged = (await redis.admin.keys('*')).filter((key) => key.includes('r-1'));
    expect(staged).toHaveLength(1);
    expect(await redis.admin.ttl(staged[0] ?? '')).toBeGreaterThan(0);
    expect(await store.reader.get('r-1')).toBeUndefined();
    await store.close();
  });
});
