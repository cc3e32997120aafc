/** The Redis run store keeps the contract, over a real Redis; and what only Redis can show. */
import { Inbox, aRunHeader, runStoreContract, startRedis, useRedis } from '@weft/testing';
import { type LogEntry, PARTITIONS, type RunStore, type StoredObject, createRedisRunStore, partitionOf, textOf } from './index.js';
import { createKeys } from './keys.js';
import { defineScript } from './redis-script.js';
import { appendEvents } from './scripts/append-events.lua.js';

const keys = createKeys('weft:');
const accepted = { type: 'RunAccepted', runId: 'r-1' };
const ended = { type: 'RunEnded' };

async function own(store: RunStore, runId: string): Promise<Parameters<RunStore['log']['append']>[0]> {
  const lease = (await store.leases.acquire('owner', 600_000)).find(({ partition }) => partition === partitionOf(runId));
  if (!lease) throw new Error('no lease');
  return lease;
}

describe('redis run store', () => {
  const redis = useRedis();

  runStoreContract(async () => {
    const [one, two] = [createRedisRunStore({ redis: redis.server.connection }), createRedisRunStore({ redis: redis.server.connection })];
    return {
      one,
      two,
      close: async () => {
        await Promise.all([one.close(), two.close()]);
      },
    };
  });

  describe('alone', () => {
    let store: RunStore;
    beforeEach(() => {
      store = createRedisRunStore({ redis: redis.server.connection });
    });
    afterEach(async () => {
      await store.close();
    });

    it('completes a submission whose first call died after claiming the idempotency key', async () => {
      const claim = { runId: 'r-first', submittedAtMs: 1_750_000_000_000 };
      await redis.admin.set(keys.idempotency('project-1', 'key'), JSON.stringify(claim));
      expect(await store.intake.create(aRunHeader(), accepted, 'key')).toEqual({ runId: 'r-first', existing: false });
      expect(await store.reader.get('r-first')).toEqual(aRunHeader(claim));
      expect((await store.reader.read('r-first', 0))[0]?.event).toEqual({ type: 'RunAccepted', runId: 'r-first' });
      expect(await store.reader.get('r-1')).toBeUndefined();
      expect(await store.intake.create(aRunHeader({ runId: 'r-2' }), accepted, 'key')).toEqual({ runId: 'r-first', existing: true });
    });

    it('opens what it wrote, and leaves what another version wrote alone', async () => {
      await store.open();
      await store.open();
      await redis.admin.set(keys.format(), '0');
      await expect(store.open()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining('format 0') });
      expect(await redis.admin.get(keys.format())).toBe('0');
    });

    it('skips index entries without a run', async () => {
      await store.intake.create(aRunHeader(), accepted);
      await redis.admin.del(keys.header('r-1'));
      expect(await store.reader.list({ limit: 5 })).toEqual({ runs: [] });
    });

    describe('of runs that cannot be read', () => {
      const broken: [string, () => Promise<unknown>][] = [
        ['is no JSON', () => redis.admin.hset(keys.header('r-bad'), 'json', '{"runId":"r-ba')],
        ['is JSON of something else', () => redis.admin.hset(keys.header('r-bad'), 'json', '{"a":[1]}')],
        ['is null', () => redis.admin.hset(keys.header('r-bad'), 'json', 'null')],
        [
          'has a number for its labels',
          () => redis.admin.hset(keys.header('r-bad'), 'json', JSON.stringify({ ...aRunHeader(), labels: 1 })),
        ],
        ['changed into what is no JSON', () => redis.admin.hset(keys.header('r-bad'), 'now', '\u0000')],
        ['is no hash', () => redis.admin.multi().del(keys.header('r-bad')).set(keys.header('r-bad'), 'x').exec()],
      ];

      it.each(broken)('whose header %s, lists tell, and everything of others', async (_what, breakIt) => {
        for (const runId of ['r-1', 'r-bad', 'r-3']) await store.intake.create(aRunHeader({ runId }), accepted);
        await breakIt();
        const { runs } = await store.reader.list({ limit: 10 });
        expect(runs.map(({ runId, failure }) => [runId, failure?.code])).toEqual([
          ['r-bad', 'UNREADABLE'],
          ['r-3', undefined],
          ['r-1', undefined],
        ]);
        expect(runs[0]).toMatchObject({
          submittedAtMs: aRunHeader().submittedAtMs,
          failure: { message: expect.stringContaining('r-bad cannot be read') },
        });
        expect((await store.reader.list({ limit: 10, states: ['pending'] })).runs.map(({ runId }) => runId)).toContain('r-1');
        await expect(store.reader.get('r-bad')).rejects.toMatchObject({
          code: 'INTERNAL',
          message: expect.stringContaining('r-bad cannot be read'),
        });
        expect(await store.reader.get('r-3')).toEqual(aRunHeader({ runId: 'r-3' }));
        await store.ping();
      });

      it('are removed where they have ended', async () => {
        for (const runId of ['r-1', 'r-bad']) await store.intake.create(aRunHeader({ runId }), accepted);
        await store.log.seal(await own(store, 'r-bad'), aRunHeader({ runId: 'r-bad', state: 'failed' }), 1, ended);
        await redis.admin.hset(keys.header('r-bad'), 'json', 'x');
        expect(await store.reader.remove('r-bad')).toBe(true);
        expect((await store.reader.list({ limit: 10 })).runs.map(({ runId }) => runId)).toEqual(['r-1']);
      });

      it('tells that an object went while it was read', async () => {
        await store.intake.create(aRunHeader(), { ...accepted, inputs: { long: 'x'.repeat(1_000_000) } });
        const found = await store.reader.object('r-1', 'inputs');
        await redis.admin.del(keys.object('r-1', 'inputs'));
        await expect(textOf(found as StoredObject)).rejects.toMatchObject({ message: expect.stringContaining('removed meanwhile') });
      });
    });

    describe('of a run with long inputs', () => {
      const inputs = { long: 'x'.repeat(1_000_000) };
      const read = async (): Promise<LogEntry['event'][]> => (await store.reader.read('r-1', 0)).map(({ event }) => event);

      it('keeps them once', async () => {
        await store.intake.create(aRunHeader(), { ...accepted, inputs });
        const sizes = await Promise.all((await redis.admin.keys('*r-1*')).map((key) => redis.admin.call('MEMORY', 'USAGE', key)));
        const sum = sizes.reduce((total: number, size) => total + Number(size), 0);
        expect(sum).toBeLessThan(1.5 * inputs.long.length);
        expect(await read()).toEqual([{ ...accepted, inputs }]);
      });

      it('reads an entry of an earlier version, which has them itself', async () => {
        await store.intake.create(aRunHeader(), accepted);
        await redis.admin.del(keys.log('r-1'));
        await redis.admin.xadd(keys.log('r-1'), '1-0', 't', '1', 'e', JSON.stringify({ ...accepted, inputs }));
        expect(await read()).toEqual([{ ...accepted, inputs }]);
      });

      it('tells that they are gone, and does not take them for none', async () => {
        await store.intake.create(aRunHeader(), { ...accepted, inputs });
        await redis.admin.del(keys.object('r-1', 'inputs'));
        await expect(read()).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('inputs are not beside') });
      });

      it('finds nothing more of a run that leaves while its log is read', async () => {
        await store.intake.create(aRunHeader(), { ...accepted, inputs });
        await store.log.seal(await own(store, 'r-1'), aRunHeader({ state: 'failed' }), 1, ended);
        const following = store.reader.follow('r-1', 0, new AbortController().signal)[Symbol.asyncIterator]();
        await store.reader.remove('r-1');
        expect(await following.next()).toEqual({ done: true, value: undefined });
        expect(await read()).toEqual([]);
      });
    });

    it('reads what was written when objects lay in the header', async () => {
      await store.intake.create(aRunHeader(), accepted);
      const before = { ...aRunHeader({ state: 'succeeded' }), inputs: { a: 'ä' }, outputs: { b: [1] } };
      await redis.admin.hset(keys.header('r-1'), 'json', JSON.stringify(before), 'sealed', '2');
      expect(await store.reader.get('r-1')).toEqual(aRunHeader({ state: 'succeeded' }));
      expect((await store.reader.list({ limit: 2 })).runs).toEqual([aRunHeader({ state: 'succeeded' })]);
      const texts = await Promise.all(
        (['inputs', 'outputs'] as const).map(async (which) => textOf((await store.reader.object('r-1', which)) as StoredObject)),
      );
      expect(texts).toEqual(['{"a":"ä"}', '{"b":[1]}']);
      expect(await (await store.retention.read('r-1'))?.objects()).toEqual({ inputs: texts[0], outputs: texts[1] });
    });

    it('keeps everything of a partition in one slot', async () => {
      await store.intake.create(aRunHeader(), accepted, 'key');
      const lease = await own(store, 'r-1');
      await store.log.append(lease, 'r-1', 1, [{ type: 'Noted' }]);
      await store.taskLogs.append('r-1', [{ taskId: 't', step: '', stream: 'stdout', text: 'x', atMs: 1 }]);
      const tag = `weft:{p${String(partitionOf('r-1')).padStart(2, '0')}}:`;
      const ofRun = (await redis.admin.keys('*')).filter((key) => key.includes('r-1') || key.endsWith(':active'));
      expect(ofRun.length).toBeGreaterThanOrEqual(5);
      expect(ofRun.filter((key) => !key.startsWith(tag))).toEqual([]);
    });

    it('rejects a prefix that would replace the hash tags', () => {
      expect(() => createKeys('{x}')).toThrow('braces');
    });

    it('reads and follows a run of 100,000 events in pages', async () => {
      const total = 100_000;
      await store.intake.create(aRunHeader(), accepted);
      const lease = await own(store, 'r-1');
      for (let after = 1; after < total - 1;) {
        const events = Array.from({ length: Math.min(2000, total - 1 - after) }, (_, n) => ({ type: 'Noted', n: after + n }));
        expect(await store.log.append(lease, 'r-1', after, events)).toMatchObject({ ok: true });
        after += events.length;
      }
      await store.log.seal(lease, aRunHeader({ state: 'succeeded' }), total - 1, ended);
      expect(await store.reader.read('r-1', 0)).toHaveLength(total);
      const followed: number[] = [];
      for await (const entry of store.reader.follow('r-1', 0, new AbortController().signal)) followed.push(entry.sequence);
      expect(followed.length).toBe(total);
      expect(followed.findIndex((sequence, i) => sequence !== i + 1)).toBe(-1);
    });
  });

  it('survives a restart of Redis: appends are durable, followers and subscribers go on', async () => {
    const durable = await startRedis({ durable: true });
    const connect = (): RunStore => createRedisRunStore({ redis: durable.connection, onError: () => undefined });
    const [one, two] = [connect(), connect()];
    await one.intake.create(aRunHeader(), accepted);
    const lease = await own(one, 'r-1');
    const [entries, resets] = [new Inbox<LogEntry>(), new Inbox<string>()];
    const stop = await two.nudges.subscribe(
      partitionOf('r-1'),
      () => undefined,
      () => resets.push('reset'),
    );
    const followed = (async () => {
      for await (const entry of two.reader.follow('r-1', 0, new AbortController().signal)) entries.push(entry);
    })();
    await entries.atLeast(1);
    const restarted = durable.restart();
    const appended = one.log.append(lease, 'r-1', 1, [{ type: 'Noted' }]);
    await restarted;
    expect(await appended).toMatchObject({ ok: true, sequence: 2 });
    await resets.atLeast(1);
    expect((await entries.atLeast(2))[1]?.event).toEqual({ type: 'Noted' });
    await one.log.seal(lease, aRunHeader({ state: 'succeeded' }), 2, ended);
    await followed;
    expect((await one.reader.read('r-1', 0)).map((entry) => entry.sequence)).toEqual([1, 2, 3]);
    await stop();
    await Promise.all([one.close(), two.close()]);
    await durable.stop();
  });

  it('ends followers when the store is closed', async () => {
    const store = createRedisRunStore({ redis: redis.server.connection });
    await store.intake.create(aRunHeader(), accepted);
    const entries = new Inbox<LogEntry>();
    const followed = (async () => {
      for await (const entry of store.reader.follow('r-1', 0, new AbortController().signal)) entries.push(entry);
    })();
    await entries.atLeast(1);
    await store.close();
    await followed;
    expect(entries.items).toHaveLength(1);
  });

  it('spreads the first partitions of different owners', async () => {
    const store = createRedisRunStore({ redis: redis.server.connection });
    const held = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => store.leases.acquire(owner, 600_000, PARTITIONS / 4)));
    expect(new Set(held.flat().map((lease) => lease.partition)).size).toBe(PARTITIONS);
    await store.close();
  });

  it('answers a script call it has carried out already with the first answer', async () => {
    const store = createRedisRunStore({ redis: redis.server.connection });
    await store.intake.create(aRunHeader(), accepted);
    const lease = await own(store, 'r-1');
    const append = defineScript(redis.admin, appendEvents);
    const call = (): Promise<unknown> =>
      append(
        [keys.lease(lease.partition), keys.header('r-1'), keys.log('r-1')],
        [lease.owner, lease.token, 'r-1', 1, 12345, keys.nudge(lease.partition), '{"type":"Noted"}'],
      );
    expect(await call()).toEqual(['ok', 2, '12345']);
    expect(await call()).toEqual(['ok', 2, '12345']);
    expect(await store.reader.read('r-1', 1)).toEqual([{ sequence: 2, atMs: 12345, event: { type: 'Noted' } }]);
    await store.close();
  });

  it('does not take entries that came one by one for an append of its own: each has its own time', async () => {
    const store = createRedisRunStore({ redis: redis.server.connection });
    await store.intake.create(aRunHeader(), accepted);
    const lease = await own(store, 'r-1');
    const events = [
      { type: 'Noted', n: 1 },
      { type: 'Noted', n: 2 },
    ];
    for (const [n, event] of events.entries())
      await redis.admin.xadd(keys.log('r-1'), `${n + 2}-0`, 't', String(100 + n), 'e', JSON.stringify(event));
    expect(await store.log.append(lease, 'r-1', 1, events)).toEqual({ ok: false, reason: 'conflict', sequence: 3 });
    await store.close();
  });
});
