/** The contract of the run store's reading ports (RunReader, TaskLogs). */
import {
  type LogEntry,
  type RunHeader,
  type RunQuery,
  type RunState,
  type RunStore,
  KEPT_ATTEMPTS,
  LIST_BYTES,
  OBJECT_PIECE_BYTES,
  TASK_LOG_LIMIT_BYTES,
  type TaskLogChunk,
} from '@weft/run-store';
import fc from 'fast-check';
import { aRunHeader } from './builders.js';
import { Inbox } from './gate.js';
import { type RunStoreFixture, accepted, ended, leaseOf, objectOf, startRun } from './run-store.fixture.js';

export function runStoreReadersContract(get: () => RunStoreFixture): void {
  describe('list', () => listContract(get));
  describe('objects', () => objectsContract(get));
  describe('follow', () => followContract(get));
  describe('remove', () => removeContract(get));
  describe('task logs', () => taskLogsContract(get));
}

/** All pages, one after the other. */
async function pages(store: RunStore, query: RunQuery): Promise<RunHeader[][]> {
  const found: RunHeader[][] = [];
  for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
    const page: Awaited<ReturnType<RunStore['reader']['list']>> = await store.reader.list({ ...query, pageToken });
    found.push(page.runs);
    pageToken = page.nextPageToken;
  }
  return found;
}

function listContract(get: () => RunStoreFixture): void {
  const STATES: RunState[] = ['pending', 'running', 'succeeded'];
  // Many share a millisecond; they lie in three months.
  const stored = Array.from({ length: 60 }, (_, n) =>
    aRunHeader({
      runId: `r-${String((n * 37) % 60).padStart(3, '0')}`,
      submittedAtMs: Date.UTC(2026, 9 + (n % 3), 1) + Math.floor(n / 10),
      projectId: n % 4 === 0 ? 'odd/project:{x}' : 'p1',
      state: STATES[n % 3] ?? 'pending',
      labels: n % 5 === 0 ? { kind: 'special', n: String(n) } : {},
    }),
  );
  const newestFirst = [...stored].sort((a, b) => b.submittedAtMs - a.submittedAtMs || (a.runId < b.runId ? 1 : -1));
  const fill = (store: RunStore): Promise<unknown> =>
    Promise.all(stored.map((header) => store.intake.create(header, accepted(header.runId))));

  it('pages through whatever is asked for, newest first, nothing twice and nothing left out', async () => {
    const { one, two } = get();
    await fill(one);
    const queries = fc.record({
      limit: fc.integer({ min: 1, max: 70 }),
      projectId: fc.option(fc.constantFrom('odd/project:{x}', 'p1', 'nobody'), { nil: undefined }),
      states: fc.option(fc.subarray(STATES), { nil: undefined }),
      labels: fc.option(fc.constantFrom<Record<string, string>[]>({}, { kind: 'special' }, { kind: 'special', n: '5' }, { kind: 'x' }), {
        nil: undefined,
      }),
    });
    const wanted = (run: RunHeader, query: RunQuery): boolean =>
      (query.projectId === undefined || run.projectId === query.projectId) &&
      (!query.states?.length || query.states.includes(run.state)) &&
      Object.entries(query.labels ?? {}).every(([name, value]) => run.labels[name] === value);
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const expected = newestFirst.filter((run) => wanted(run, query));
        const found = await pages(two, query);
        expect(found.flat()).toEqual(expected);
        expect(found.map((page) => page.length)).toEqual(
          Array.from({ length: Math.max(1, Math.ceil(expected.length / query.limit)) }, (_, n) =>
            Math.min(query.limit, expected.length - n * query.limit),
          ),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('stays put while runs are added in front', async () => {
    const { one } = get();
    await fill(one);
    const first = await one.reader.list({ limit: 10 });
    await one.intake.create(aRunHeader({ runId: 'r-new', submittedAtMs: Date.UTC(2026, 11, 24) }), accepted('r-new'));
    const second = await one.reader.list({ limit: 10, pageToken: first.nextPageToken });
    expect([...first.runs, ...second.runs]).toEqual(newestFirst.slice(0, 20));
  });

  it('ends a page where its headers are long, and leaves nothing out', async () => {
    const { one, two } = get();
    const long = Array.from({ length: 9 }, (_, n) =>
      aRunHeader({ runId: `r-${n}`, submittedAtMs: n, labels: { long: 'x'.repeat(n === 4 ? 2 * LIST_BYTES : LIST_BYTES / 3) } }),
    );
    for (const header of long) await one.intake.create(header, { ...accepted(header.runId), inputs: { not: 'y'.repeat(LIST_BYTES) } });
    const found = await pages(two, { limit: 1000 });
    expect(found.flat()).toEqual([...long].reverse());
    expect(found.map((page) => page.length)).toEqual([2, 2, 1, 2, 2]);
  });

  it.each([0, -1, 1.5, 1001, Number.NaN])('refuses the limit %d', async (limit) => {
    await expect(get().one.reader.list({ limit })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it.each(['nonsense', '!!', 'MTIzOnI', '999999999999999x'])('refuses the page token %s', async (pageToken) => {
    await expect(get().one.reader.list({ limit: 1, pageToken })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
}

function objectsContract(get: () => RunStoreFixture): void {
  const long = { texts: Array.from({ length: 5000 }, (_, n) => `${n} ä 🧬 ${'z'.repeat(200)}`) };

  it('are read in pieces, and are what was written', async () => {
    const { one, two } = get();
    await one.intake.create(aRunHeader(), { ...accepted('r-1'), inputs: long });
    const found = await two.reader.object('r-1', 'inputs');
    const pieces: Uint8Array[] = [];
    for await (const piece of found?.pieces ?? []) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe(JSON.stringify(long));
    expect(found?.bytes).toBe(Buffer.byteLength(JSON.stringify(long)));
    expect(pieces.length).toBeGreaterThan(3);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(OBJECT_PIECE_BYTES);
  });

  it('go with what they belong to', async () => {
    const { one, two } = get();
    await one.intake.create(aRunHeader(), { ...accepted('r-1'), inputs: { a: 1 } });
    const lease = await leaseOf(one, 'r-1');
    const header = aRunHeader({ state: 'failed', finishedAtMs: 9 });
    await one.log.seal(lease, header, 1, ended, { some: 'of them' });
    expect(await objectOf(two, 'outputs')).toEqual({ some: 'of them' });
    // A run that goes on has no outputs, and one that ends again without has none either.
    await two.intake.reopen({ ...header, state: 'running' }, { type: 'RunRetried' });
    expect(await objectOf(two, 'outputs')).toBeUndefined();
    await one.log.seal(lease, header, 3, ended);
    expect([await objectOf(two, 'inputs'), await objectOf(two, 'outputs')]).toEqual([{ a: 1 }, undefined]);
    await one.reader.remove('r-1');
    expect([await objectOf(two, 'inputs'), await objectOf(two, 'outputs')]).toEqual([undefined, undefined]);
  });

  it('are not there where the run is not', async () => {
    expect(await objectOf(get().one, 'inputs', 'r-none')).toBeUndefined();
  });
}

function followContract(get: () => RunStoreFixture): void {
  const note = (n: number): LogEntry['event'] => ({ type: 'Noted', n });
  const never = new AbortController().signal;
  const collect = async <T>(source: AsyncIterable<T>, inbox = new Inbox<T>()): Promise<T[]> => {
    for await (const item of source) inbox.push(item);
    return inbox.items;
  };

  it('replays, goes on live and ends with the run', async () => {
    const { one, two } = get();
    const lease = await startRun(one);
    const inbox = new Inbox<LogEntry>();
    const done = collect(two.reader.follow('r-1', 0, never), inbox);
    await inbox.atLeast(1);
    await one.log.append(lease, 'r-1', 1, [note(1)]);
    await inbox.atLeast(2);
    await one.log.seal(lease, aRunHeader({ state: 'succeeded' }), 2, ended);
    expect((await done).map((entry) => entry.event.type)).toEqual(['RunAccepted', 'Noted', 'RunEnded']);
    expect((await two.reader.get('r-1'))?.state).toBe('succeeded');
  });

  it('misses nothing while entries are being appended', async () => {
    const { one, two } = get();
    const lease = await startRun(one);
    const followers = Array.from({ length: 5 }, (_, n) => collect(two.reader.follow('r-1', n, never)));
    for (let n = 1; n <= 100; n++) await one.log.append(lease, 'r-1', n, [note(n)]);
    await one.log.seal(lease, aRunHeader({ state: 'succeeded' }), 101, ended);
    for (const [n, entries] of (await Promise.all(followers)).entries()) {
      expect(entries.map((entry) => entry.sequence)).toEqual(Array.from({ length: 102 - n }, (_, i) => n + i + 1));
    }
  });

  it('ends at once when everything was read, and for a run that does not exist', async () => {
    const { one } = get();
    const lease = await startRun(one);
    await one.log.seal(lease, aRunHeader({ state: 'failed' }), 1, ended);
    expect(await collect(one.reader.follow('r-1', 2, never))).toEqual([]);
    expect(await collect(one.reader.follow('r-1', 1, never))).toHaveLength(1);
    expect(await collect(one.reader.follow('r-none', 0, never))).toEqual([]);
  });

  it('ends when its reader goes away', async () => {
    const { one } = get();
    await startRun(one);
    const controller = new AbortController();
    const inbox = new Inbox<LogEntry>();
    const done = collect(one.reader.follow('r-1', 0, controller.signal), inbox);
    await inbox.atLeast(1);
    controller.abort();
    expect(await done).toHaveLength(1);
    expect(await collect(one.reader.follow('r-1', 0, AbortSignal.abort()))).toEqual([]);
  });
}

function removeContract(get: () => RunStoreFixture): void {
  it('takes a sealed run away, with everything that led to it', async () => {
    const { one, two } = get();
    const { signal } = new AbortController();
    await one.intake.create(aRunHeader(), accepted('r-1'), 'key');
    const lease = await leaseOf(one, 'r-1');
    expect(await two.reader.remove('r-1')).toBe(false);
    await one.taskLogs.append('r-1', [{ taskId: 't', step: 's', stream: 'stdout', text: 'x', atMs: 1 }]);
    await one.log.seal(lease, aRunHeader({ state: 'failed' }), 1, ended);
    expect(await two.reader.remove('r-1')).toBe(true);
    expect(await two.reader.remove('r-1')).toBe(false);
    expect(await one.reader.get('r-1')).toBeUndefined();
    expect(await one.reader.read('r-1', 0)).toEqual([]);
    expect(await one.reader.list({ limit: 10 })).toEqual({ runs: [] });
    expect(await one.reader.list({ limit: 10, projectId: 'project-1' })).toEqual({ runs: [] });
    expect((await one.taskLogs.stream('r-1', '', false, signal)[Symbol.asyncIterator]().next()).done).toBe(true);
    expect(await one.intake.create(aRunHeader({ runId: 'r-2' }), accepted('r-2'), 'key')).toEqual({ runId: 'r-2', existing: false });
  });
}

function taskLogsContract(get: () => RunStoreFixture): void {
  const { signal } = new AbortController();
  const chunk = (text: string, taskId = 't-1'): TaskLogChunk => ({ taskId, step: 'align', stream: 'stderr', text, atMs: 7 });
  const all = async (store: RunStore, cursor = ''): Promise<(TaskLogChunk & { cursor: string })[]> => {
    const found = [];
    for await (const item of store.taskLogs.stream('r-1', cursor, false, signal)) found.push(item);
    return found;
  };

  it('come back in order, from any cursor', async () => {
    const { one, two } = get();
    await startRun(one);
    await one.taskLogs.append('r-1', [chunk('a'), chunk('b', 't-2')]);
    await one.taskLogs.append('r-1', [chunk('ü\n')]);
    const found = await all(two);
    expect(found.map(({ cursor: _cursor, ...rest }) => rest)).toEqual([chunk('a'), chunk('b', 't-2'), chunk('ü\n')]);
    expect((await all(two, found[0]?.cursor)).map(({ text }) => text)).toEqual(['b', 'ü\n']);
    expect(await all(two, found[2]?.cursor)).toEqual([]);
  });

  it('are followed live until the reader goes away', async () => {
    const { one, two } = get();
    await startRun(one);
    await one.taskLogs.append('r-1', [chunk('a')]);
    const controller = new AbortController();
    const inbox = new Inbox<string>();
    const done = (async () => {
      for await (const item of two.taskLogs.stream('r-1', '', true, controller.signal)) inbox.push(item.text);
    })();
    await inbox.atLeast(1);
    await one.taskLogs.append('r-1', [chunk('b')]);
    expect(await inbox.atLeast(2)).toEqual(['a', 'b']);
    controller.abort();
    await done;
  });

  it('keep the newest within the limit', async () => {
    const { one } = get();
    await startRun(one);
    for (let n = 0; n < 50; n++) await one.taskLogs.append('r-1', [chunk(`${n}:`.padEnd(100_000, 'x'))]);
    const found = await all(one);
    const kept = found.reduce((sum, item) => sum + item.text.length, 0);
    expect(kept).toBeLessThanOrEqual(TASK_LOG_LIMIT_BYTES);
    expect(kept).toBeGreaterThan(TASK_LOG_LIMIT_BYTES * 0.95);
    expect(
      found
        .map(({ text }) => text)
        .join('')
        .lastIndexOf('49:'),
    ).toBeGreaterThan(0);
    expect(found.some(({ text }) => text.startsWith('0:'))).toBe(false);
  });

  it('say first how much went, and let those that are kept go last', async () => {
    const { one, two } = get();
    await startRun(one);
    const of = (taskId: string, text: string): TaskLogChunk => ({ ...chunk(text, taskId), attempt: 1 });
    await one.taskLogs.append('r-1', [of('failed', 'the reason\n')], { keep: [{ taskId: 'failed', attempt: 1 }] });
    for (let n = 0; n < 30; n++)
      await one.taskLogs.append(
        'r-1',
        Array.from({ length: 20 }, () => of('other', 'y\n'.repeat(5000))),
      );
    const found = await all(two);
    const text = found.map((item) => item.text).join('');
    expect(found[0]).toMatchObject({
      omitted: { bytes: 6_000_000 + 11 - text.length, lines: 3_000_000 + 1 - text.split('\n').length + 1 },
    });
    expect(found[1]).toMatchObject({ taskId: 'failed', text: 'the reason\n' });
    expect((await all(two, found[0]?.cursor))[0]).toMatchObject({ taskId: 'failed' });
    // Whoever fails later is kept instead, where there are many.
    for (let n = 0; n < KEPT_ATTEMPTS; n++) {
      await one.taskLogs.append('r-1', [of(`f${n}`, `f${n}\n`)], { keep: [{ taskId: `f${n}`, attempt: 1 }] });
    }
    for (let n = 0; n < 30; n++)
      await one.taskLogs.append(
        'r-1',
        Array.from({ length: 20 }, () => of('other', 'y\n'.repeat(5000))),
      );
    const later = (await all(two)).filter(({ taskId }) => taskId !== 'other' && taskId !== '').map(({ taskId }) => taskId);
    expect(later).toEqual(Array.from({ length: KEPT_ATTEMPTS }, (_, n) => `f${n}`));
  });

  it('lose what newer chunks of an attempt have pushed out, without counting it', async () => {
    const { one, two } = get();
    await startRun(one);
    const [first, second] = await one.taskLogs.append('r-1', [chunk('a'), chunk('b'), chunk('c')]);
    expect([first, second].map((cursors) => cursors?.length)).toEqual([1, 1]);
    expect(await one.taskLogs.append('r-1', [chunk('d')], { drop: second })).toHaveLength(1);
    expect((await all(two)).map(({ text, omitted }) => [text, omitted])).toEqual(['a', 'c', 'd'].map((text) => [text, undefined]));
  });

  it('split long texts without tearing characters apart', async () => {
    const { one } = get();
    await startRun(one);
    const text = 'x' + '🧬'.repeat(20_000);
    await one.taskLogs.append('r-1', [chunk(text)]);
    const found = await all(one);
    expect(found.length).toBeGreaterThan(1);
    expect(found.map((item) => item.text).join('')).toBe(text);
    for (const item of found) expect(item.text).not.toMatch(/[\ud800-\udbff]$/);
  });

  it('of a run that does not exist are not kept', async () => {
    const { one } = get();
    await one.taskLogs.append('r-1', [chunk('a')]);
    expect(await all(one)).toEqual([]);
  });

  it('refuse a cursor they never gave out', async () => {
    await expect(all(get().one, 'yesterday')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
}
