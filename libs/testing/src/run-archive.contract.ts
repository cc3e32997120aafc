/**
 * What must hold of runs that move from the live store to the archive and back: nobody who asks can tell the difference. For the fake and
 * for every adapter, of the store and of the archive's place.
 */
import {
  type ArchiveFiles,
  archiveRun,
  type ArchivingRunStore,
  FileRunArchive,
  LIST_BYTES,
  LONG_INPUTS_CHARS,
  type LogEntry,
  newestPosition,
  type RunArchive,
  type RunHeader,
  type RunQuery,
  type RunState,
  type RunStore,
  type StoredChunk,
  withArchive,
} from '@weft/run-store';
import fc from 'fast-check';
import { aRunHeader } from './builders.js';
import { Inbox } from './gate.js';
import { accepted, leaseOf, objectOf } from './run-store.fixture.js';

export interface RunArchiveFixture {
  files: ArchiveFiles;
  /** A store whose option `isArchived` asks what it is given. */
  open(isArchived: (runId: string) => Promise<boolean>): RunStore;
  close(): Promise<void>;
}

interface Subject {
  store: ArchivingRunStore;
  inner: RunStore;
  archive: RunArchive;
  move(runId: string): Promise<string>;
  /** What the archive has of the run is no run any more. */
  spoil(runId: string): Promise<void>;
}

const never = new AbortController().signal;
const STATES: RunState[] = ['succeeded', 'failed', 'cancelled', 'running'];

export function runArchiveContract(create: () => Promise<RunArchiveFixture>): void {
  let fixture: RunArchiveFixture;
  let subject: Subject;
  beforeEach(async () => {
    fixture = await create();
    const archive = new FileRunArchive(fixture.files);
    const inner = fixture.open(async (runId) => (await archive.find(runId)) !== undefined);
    const move = async (runId: string): Promise<string> => archiveRun(inner, archive, await leaseOf(inner, runId), runId);
    const spoil = (runId: string): Promise<void> =>
      fixture.files.write(`runs/${runId.slice(0, 8)}/${runId}.jsonl.gz`, Buffer.from('spoilt'));
    subject = { store: withArchive(inner, archive), inner, archive, move, spoil };
  });
  afterEach(() => fixture.close());
  const get = (): Subject => subject;
  describe('answers', () => answersContract(get));
  describe('moving', () => movingContract(get));
  describe('coming back', () => restoreContract(get));
}

/** A run with a log of some length, ended unless its state says otherwise. */
async function aRun({ inner }: Subject, over: Partial<RunHeader> = {}, notes = 3, key?: string): Promise<RunHeader> {
  const { state = 'succeeded', ...rest } = over;
  const begun = aRunHeader({ ...rest, state: 'pending' });
  const { runId } = begun;
  await inner.intake.putPlan(begun.planHash, { planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: {} });
  await inner.intake.create(begun, { ...accepted(runId), inputs: inputsOf(runId) }, key);
  const lease = await leaseOf(inner, runId);
  for (let n = 1; n <= notes; n++) await inner.log.append(lease, runId, n, [{ type: 'Noted', n, text: 'ä\n'.repeat(n) }]);
  await inner.taskLogs.append(runId, [chunk('one'), chunk('two\n')]);
  const header = { ...begun, state, ...(state === 'running' ? {} : { finishedAtMs: 9 }) };
  if (state === 'running') await inner.log.updateHeader(lease, header);
  else
    await inner.log.seal(
      lease,
      header,
      notes + 1,
      { type: 'RunEnded', status: state },
      state === 'succeeded' ? { n: 1, from: 'ä\n' } : undefined,
    );
  return header;
}

/** Of some runs they are too long for a log. */
const inputsOf = (runId: string): Record<string, unknown> => ({
  of: runId,
  ...(runId.endsWith('1') && { long: 'ä"\n'.repeat(LONG_INPUTS_CHARS / 4), number: 9223372036854775807n }),
});

const chunk = (text: string): { taskId: string; step: string; stream: 'stdout'; text: string; atMs: number } => ({
  ...{ taskId: 't-1', step: 'align', stream: 'stdout', text, atMs: 7 },
});

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

async function pages(store: RunStore, query: RunQuery): Promise<RunHeader[][]> {
  const found: RunHeader[][] = [];
  for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
    const page: Awaited<ReturnType<RunStore['reader']['list']>> = await store.reader.list({ ...query, pageToken });
    found.push(page.runs);
    pageToken = page.nextPageToken;
  }
  return found;
}

/** Everything that can be asked of one run. */
async function answers({ store }: Subject, runId: string): Promise<unknown> {
  const stop = new AbortController();
  const ended = (await store.reader.get(runId))?.finishedAtMs !== undefined;
  const log = await collect(store.taskLogs.stream(runId, '', false, never));
  return {
    header: await store.reader.get(runId),
    inputs: await objectOf(store, 'inputs', runId),
    outputs: await objectOf(store, 'outputs', runId),
    log: await store.reader.read(runId, 0),
    tail: await store.reader.read(runId, 2),
    followed: ended ? await collect(store.reader.follow(runId, 1, stop.signal)) : undefined,
    over: ended ? await collect(store.reader.follow(runId, 5, stop.signal)) : undefined,
    chunks: log,
    rest: await collect(store.taskLogs.stream(runId, log[0]?.cursor ?? '', false, never)),
  };
}

function answersContract(get: () => Subject): void {
  it('are the same, of every run and every list, while runs move one after the other', async () => {
    const subject = get();
    const headers: RunHeader[] = [];
    for (let n = 0; n < 24; n++) {
      headers.push(
        await aRun(subject, {
          runId: `r-${String((n * 7) % 24).padStart(3, '0')}`,
          // Two months; some share a millisecond.
          submittedAtMs: Date.UTC(2026, 8 + (n % 2), 1 + (n % 5), n % 3) + Math.floor(n / 8),
          projectId: n % 4 === 0 ? 'odd/project:{x} ä' : 'p1',
          state: STATES[n % 4] ?? 'succeeded',
          labels: n % 5 === 0 ? { kind: 'special' } : {},
        }),
      );
    }
    const queries = fc.record({
      limit: fc.integer({ min: 1, max: 30 }),
      projectId: fc.option(fc.constantFrom('odd/project:{x} ä', 'p1', 'nobody'), { nil: undefined }),
      states: fc.option(fc.subarray(STATES), { nil: undefined }),
      labels: fc.option(fc.constantFrom<Record<string, string>[]>({}, { kind: 'special' }, { kind: 'x' }), { nil: undefined }),
    });
    const asked = fc.sample(queries, { numRuns: 12, seed: 4 });
    const all = async (): Promise<unknown> => ({
      runs: await Promise.all(headers.map(({ runId }) => answers(subject, runId))),
      lists: await Promise.all(asked.map((query) => pages(subject.store, query))),
    });
    const before = await all();
    for (const [at, { runId, state }] of headers.entries()) {
      expect(await subject.move(runId)).toBe(state === 'running' ? 'gone' : 'evicted');
      if (at % 6 === 5) expect(await all()).toEqual(before);
    }
    expect((await subject.inner.reader.list({ limit: 100 })).runs).toHaveLength(6);
  });

  it('of a follower and a log reader are whole where the run moves under them', async () => {
    const subject = get();
    await aRun(subject);
    const [entries, chunks] = [new Inbox<LogEntry>(), new Inbox<StoredChunk>()];
    const followed = subject.store.reader.follow('r-1', 0, never)[Symbol.asyncIterator]();
    const read = subject.store.taskLogs.stream('r-1', '', false, never)[Symbol.asyncIterator]();
    entries.push((await followed.next()).value as LogEntry);
    chunks.push((await read.next()).value as StoredChunk);
    expect(await subject.move('r-1')).toBe('evicted');
    for (let next = await followed.next(); !next.done; next = await followed.next()) entries.push(next.value);
    for (let next = await read.next(); !next.done; next = await read.next()) chunks.push(next.value);
    expect(entries.items.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(chunks.items.map(({ text }) => text)).toEqual(['one', 'two\n']);
  });

  it('of a list end early where a filter leaves out very many, with a token that goes on', async () => {
    const subject = get();
    await aRun(subject, { runId: 'r-old', submittedAtMs: Date.UTC(2025, 0, 1), labels: { kind: 'special' } });
    await subject.move('r-old');
    expect((await subject.store.reader.list({ limit: 5, labels: { kind: 'special' } })).runs.map(({ runId }) => runId)).toEqual(['r-old']);
    expect(await subject.store.reader.list({ limit: 5, labels: { kind: 'other' } })).toEqual({ runs: [] });
  });

  it('of a list have one that the archive cannot read as such, and all others', async () => {
    const subject = get();
    for (const [at, runId] of ['r-1', 'r-2', 'r-3'].entries()) {
      await aRun(subject, { runId, submittedAtMs: Date.UTC(2026, 8, 1, at) });
      await subject.move(runId);
    }
    await subject.spoil('r-2');
    const { runs } = await subject.store.reader.list({ limit: 10 });
    expect(runs.map(({ runId, state, failure }) => [runId, state, failure?.code])).toEqual([
      ['r-3', 'succeeded', undefined],
      ['r-2', 'succeeded', 'UNREADABLE'],
      ['r-1', 'succeeded', undefined],
    ]);
    await expect(subject.store.reader.get('r-2')).rejects.toMatchObject({ message: expect.stringContaining('r-2 cannot be read') });
    expect((await subject.store.reader.get('r-3'))?.state).toBe('succeeded');
  });

  it('of a list end where headers are long', async () => {
    const subject = get();
    for (const [at, runId] of ['r-1', 'r-2', 'r-3', 'r-4'].entries()) {
      await aRun(subject, { runId, submittedAtMs: Date.UTC(2026, 8, 1, at), labels: { long: 'x'.repeat(LIST_BYTES * 0.6) } });
      if (at !== 1) await subject.move(runId);
    }
    const found = await pages(subject.store, { limit: 10 });
    expect(found.map((page) => page.map(({ runId }) => runId))).toEqual([['r-4'], ['r-3'], ['r-2'], ['r-1']]);
  });

  it('include the plan, which goes with the runs', async () => {
    const subject = get();
    const { planHash } = await aRun(subject);
    const plan = await subject.inner.log.getPlan(planHash);
    await subject.move('r-1');
    expect(await subject.archive.getPlan(planHash)).toEqual(plan);
    expect(await subject.store.log.getPlan(planHash)).toEqual(plan);
    expect(await subject.store.log.getPlan('0123')).toBeUndefined();
  });
}

function movingContract(get: () => Subject): void {
  it('leaves nothing in the live store, and counts', async () => {
    const subject = get();
    await aRun(subject);
    const { inner } = subject;
    expect(await inner.retention.counts()).toMatchObject({ active: 0, ended: 1, archived: 0, archivedBytes: 0 });
    expect(await inner.retention.newestArchived()).toBeUndefined();
    await subject.move('r-1');
    expect(await inner.reader.get('r-1')).toBeUndefined();
    expect(await inner.reader.read('r-1', 0)).toEqual([]);
    expect(await inner.reader.list({ limit: 5 })).toEqual({ runs: [] });
    expect(await inner.retention.counts()).toEqual({ active: 0, ended: 0, archived: 1, archivedBytes: expect.any(Number) });
    expect((await inner.retention.counts()).archivedBytes).toBeGreaterThan(100);
    expect(await inner.retention.newestArchived()).toBe(await newestPosition(subject.archive));
  });

  it('may be done again at any point', async () => {
    const subject = get();
    await aRun(subject);
    const run = await subject.inner.retention.read('r-1');
    if (!run) throw new Error('no run');
    const put = await subject.archive.put(run);
    // As after a crash: the archive has it, the live store too.
    expect(await pages(subject.store, { limit: 5 })).toEqual([[run.header]]);
    expect(await subject.move('r-1')).toBe('evicted');
    expect(await subject.move('r-1')).toBe('gone');
    expect(await subject.inner.retention.evict(await leaseOf(subject.inner, 'r-1'), run, put)).toBe('evicted');
    expect(await pages(subject.store, { limit: 5 })).toEqual([[run.header]]);
    expect((await subject.inner.retention.counts()).archived).toBe(1);
  });

  it.each([
    ['stays where it was taken out by a call whose answer was lost', true],
    ['goes where somebody removes it before it is taken out', false],
  ])('what was written %s', async (_what, stays) => {
    const subject = get();
    const { inner, archive } = subject;
    await aRun(subject);
    const retention: RunStore['retention'] = Object.create(inner.retention, {
      evict: {
        value: async (...call: Parameters<RunStore['retention']['evict']>) => {
          if (stays) await inner.retention.evict(...call);
          else await inner.reader.remove('r-1');
          return inner.retention.evict(...call);
        },
      },
    });
    const moved = await archiveRun({ log: inner.log, retention }, archive, await leaseOf(inner, 'r-1'), 'r-1');
    expect(moved).toBe(stays ? 'evicted' : 'gone');
    expect((await archive.find('r-1')) !== undefined).toBe(stays);
  });

  it.each(['entries', 'chunks'] as const)(
    'leaves what is archived whole where another takes the run out while its %s are read',
    async (part) => {
      const subject = get();
      const { inner, archive } = subject;
      await aRun(subject, {}, 5);
      const before = await answers(subject, 'r-1');
      async function* late<T>(source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
        expect(await subject.move('r-1')).toBe('evicted');
        yield* source;
      }
      let reads = 0;
      const read: RunStore['retention']['read'] = async (runId) => {
        const run = await inner.retention.read(runId);
        reads += 1;
        if (!run || reads > 1) return run;
        return part === 'entries' ? { ...run, entries: late(run.entries) } : { ...run, chunks: late(run.chunks) };
      };
      const retention = Object.assign(Object.create(inner.retention) as RunStore['retention'], { read });
      expect(await archiveRun({ ...inner, retention }, archive, await leaseOf(inner, 'r-1'), 'r-1')).toBe('gone');
      expect(await answers(subject, 'r-1')).toEqual(before);
    },
  );

  it('finds runs that have ended, the first to end first', async () => {
    const subject = get();
    await aRun(subject, { state: 'failed' });
    await aRun(subject, { runId: 'r-2', state: 'running' });
    const { partition } = await leaseOf(subject.inner, 'r-1');
    expect(await subject.inner.retention.ended(partition, 10)).toEqual([{ runId: 'r-1', endedAtMs: expect.any(Number) }]);
    await subject.inner.intake.reopen(aRunHeader({ state: 'running' }), { type: 'RunRetried' });
    expect(await subject.inner.retention.ended(partition, 10)).toEqual([]);
  });

  it('is refused where the run got more, goes on again, was deleted, or belongs to somebody else', async () => {
    const subject = get();
    const { inner, archive } = subject;
    await aRun(subject);
    const run = async (): Promise<NonNullable<Awaited<ReturnType<RunStore['retention']['read']>>>> => {
      const found = await inner.retention.read('r-1');
      if (!found) throw new Error('no run');
      return found;
    };
    const lease = await leaseOf(inner, 'r-1');
    const first = await run();
    const put = await archive.put(first);
    await inner.taskLogs.append('r-1', [chunk('late')]);
    expect(await inner.retention.evict(lease, first, put)).toBe('changed');
    expect(await inner.retention.evict({ ...lease, token: lease.token + 1 }, first, await archive.put(await run()))).toBe('fenced');
    const second = await run();
    const again = await archive.put(second);
    await inner.intake.reopen(aRunHeader({ state: 'running' }), { type: 'RunRetried' });
    expect(await inner.retention.evict(lease, second, again)).toBe('changed');
    expect((await pages(subject.store, { limit: 5 })).flat().map(({ state }) => state)).toEqual(['running']);
    expect(await subject.store.reader.list({ limit: 5, states: ['succeeded'] })).toEqual({ runs: [] });
    expect(await subject.store.reader.remove('r-1')).toBe(false);
  });

  it('leaves idempotency keys as they are, until the run is deleted', async () => {
    const subject = get();
    await aRun(subject, {}, 1, 'key');
    await subject.move('r-1');
    const { intake } = subject.store;
    expect(await intake.create(aRunHeader({ runId: 'r-2' }), accepted('r-2'), 'key')).toEqual({ runId: 'r-1', existing: true });
    expect(await subject.store.reader.remove('r-1')).toBe(true);
    expect(await subject.store.reader.remove('r-1')).toBe(false);
    expect(await subject.store.reader.get('r-1')).toBeUndefined();
    expect(await subject.store.reader.list({ limit: 5 })).toEqual({ runs: [] });
    expect(await subject.inner.retention.counts()).toMatchObject({ archived: 0, archivedBytes: 0 });
    expect(await intake.create(aRunHeader({ runId: 'r-3' }), accepted('r-3'), 'key')).toEqual({ runId: 'r-3', existing: false });
  });

  it('of a deleted run leaves nothing in the archive either', async () => {
    const subject = get();
    const { planHash } = await aRun(subject);
    expect(await subject.store.reader.remove('r-1')).toBe(true);
    expect(await subject.archive.find('r-1')).toBeUndefined();
    expect(await subject.archive.getPlan(planHash)).toBeDefined();
  });
}

function restoreContract(get: () => Subject): void {
  it('brings a run back as it was, so that it can go on and be archived again', async () => {
    const subject = get();
    const header = await aRun(subject, { state: 'failed' }, 3, 'key');
    const before = await answers(subject, 'r-1');
    await subject.move('r-1');
    expect(await subject.store.restore('r-1')).toBe(true);
    expect(await subject.store.restore('r-1')).toBe(true);
    expect(await answers(subject, 'r-1')).toEqual(before);
    expect(await subject.inner.reader.get('r-1')).toEqual(header);
    expect(await pages(subject.store, { limit: 5 })).toEqual([[header]]);
    expect(await subject.inner.retention.counts()).toMatchObject({ ended: 1, archived: 0, archivedBytes: 0 });
    expect(await subject.inner.intake.reopen({ ...header, state: 'running' }, { type: 'RunRetried' })).toBe('reopened');
    const lease = await leaseOf(subject.inner, 'r-1');
    const succeeded: RunHeader = { ...header, state: 'succeeded' };
    expect(await subject.inner.log.seal(lease, succeeded, 6, { type: 'RunEnded', status: 'succeeded' })).toMatchObject({ ok: true });
    expect(await subject.move('r-1')).toBe('evicted');
    expect(await pages(subject.store, { limit: 5 })).toEqual([[succeeded]]);
    expect(await subject.store.reader.list({ limit: 5, states: ['failed'] })).toEqual({ runs: [] });
    expect(await subject.store.reader.read('r-1', 0)).toHaveLength(7);
    const { runId, existing } = await subject.store.intake.create(aRunHeader({ runId: 'r-2' }), accepted('r-2'), 'key');
    expect({ runId, existing }).toEqual({ runId: 'r-1', existing: true });
  });

  it('says where there is nothing to bring back', async () => {
    expect(await get().store.restore('r-none')).toBe(false);
  });

  it('lets one of two callers do it', async () => {
    const subject = get();
    await aRun(subject);
    const before = await answers(subject, 'r-1');
    await subject.move('r-1');
    expect(await Promise.all([subject.store.restore('r-1'), subject.store.restore('r-1')])).toEqual([true, true]);
    expect(await answers(subject, 'r-1')).toEqual(before);
    expect(await subject.inner.retention.counts()).toMatchObject({ archived: 0 });
  });
}
