/**
 * The contract of the run store's writing ports (RunIntake, RunLog, Leases, Nudges), for the fake and for every adapter.
 * The reading ports' part is run-store-readers.contract.ts.
 */
import { type LogEntry, LONG_INPUTS_CHARS, PARTITIONS, type RunStore, partitionOf } from '@weft/run-store';
import { type CommandLineTool, writeJson } from '@weft/plan';
import { aRunHeader } from './builders.js';
import { accepted, ended, leaseOf, objectOf, type RunStoreFixture, startRun } from './run-store.fixture.js';
import { Inbox } from './gate.js';
import { runStoreReopenContract } from './run-store-reopen.contract.js';
import { leasesContract, replicasContract } from './leases.contract.js';
import { runStoreReadersContract } from './run-store-readers.contract.js';

const TOOL_WITH_DEFAULT: CommandLineTool = {
  ...{ class: 'CommandLineTool', id: 'main', outputs: [], baseCommand: ['t'], arguments: [], successCodes: [0] },
  ...{ temporaryFailCodes: [], permanentFailCodes: [], requirements: [], hints: [], declaredVersion: 'v1.2' },
  inputs: [{ name: 'n', type: 'long', default: 9223372036854775807n }],
};
const note = (text: string): LogEntry['event'] => ({ type: 'Noted', text });

export function runStoreContract(open: () => Promise<RunStoreFixture>): void {
  let fixture: RunStoreFixture;
  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(() => fixture.close());
  const get = (): RunStoreFixture => fixture;
  describe('intake', () => intakeContract(get));
  describe('log', () => logContract(get));
  describe('seal', () => sealContract(get));
  describe('leases', () => leasesContract(get));
  describe('replicas', () => replicasContract(get));
  describe('nudges', () => nudgesContract(get));
  describe('reopen', () => runStoreReopenContract(get));
  runStoreReadersContract(get);
}

function intakeContract(get: () => RunStoreFixture): void {
  it('stores header, first event and active id', async () => {
    const { one, two } = get();
    const header = aRunHeader({ labels: { a: 'b' } });
    const event = { ...accepted('r-1'), inputs: { text: 'ä', list: [1, null, 9223372036854775807n] }, options: { a: 1 } };
    expect(await one.intake.create(header, event)).toEqual({ runId: 'r-1', existing: false });
    expect(await two.reader.get('r-1')).toEqual(header);
    expect(await two.log.read('r-1', 0)).toEqual([{ sequence: 1, atMs: expect.any(Number), event }]);
    expect(await objectOf(two, 'inputs')).toEqual(event.inputs);
    expect(await objectOf(two, 'outputs')).toBeUndefined();
    expect(await two.log.active(partitionOf('r-1'))).toEqual(['r-1']);
    expect(await two.log.active((partitionOf('r-1') + 1) % PARTITIONS)).toEqual([]);
  });

  it.each([-1, 0, 1])(
    'gives inputs of about as many characters as a log may have (%d) back as they were, to all that read it',
    async (more) => {
      const { one, two } = get();
      const rest = JSON.stringify({ list: [1, 2], text: '' }).length;
      const inputs = { list: [1, 2], text: 'x'.repeat(LONG_INPUTS_CHARS + more - rest) };
      const event = { ...accepted('r-1'), options: { a: 1 }, inputs };
      await one.intake.create(aRunHeader(), event);
      await one.intake.request('r-1', note('later'));
      const expected = [event, note('later')];
      expect((await two.log.read('r-1', 0)).map((entry) => entry.event)).toEqual(expected);
      expect((await two.log.read('r-1', 1)).map((entry) => entry.event)).toEqual(expected.slice(1));
      const followed: LogEntry['event'][] = [];
      for await (const entry of two.reader.follow('r-1', 0, new AbortController().signal)) {
        followed.push(entry.event);
        if (entry.sequence === 2) break;
      }
      expect(followed).toEqual(expected);
      expect(await objectOf(two, 'inputs')).toEqual(inputs);
    },
  );

  it.each([10, LONG_INPUTS_CHARS])(
    'gives inputs of %d characters that came with their text back as often as they are read',
    async (characters) => {
      const { one, two } = get();
      const inputs = { text: 'x'.repeat(characters), n: 9223372036854775807n };
      const event = { ...accepted('r-1'), inputs };
      await one.intake.create(aRunHeader(), event, undefined, writeJson(inputs));
      for (const store of [one, one, two]) expect((await store.log.read('r-1', 0)).map((entry) => entry.event)).toEqual([event]);
      expect(await objectOf(two, 'inputs')).toEqual(inputs);
    },
  );

  it('counts the runs that have not ended, those of a project too', async () => {
    const { one, two } = get();
    const lease = await startRun(one);
    for (const runId of ['r-2', 'r-3', 'r-4'])
      await one.intake.create(aRunHeader({ runId, projectId: runId === 'r-4' ? '' : 'p/2' }), accepted(runId));
    await one.intake.create(aRunHeader({ runId: 'r-2', projectId: 'p/2' }), accepted('r-2'));
    const counts = (): Promise<number[]> =>
      Promise.all([undefined, aRunHeader().projectId, 'p/2', 'none'].map((id) => two.intake.activeRuns(id)));
    const own = aRunHeader().projectId === '' ? 2 : 1;
    expect(await counts()).toEqual([4, own, 2, 0]);
    const final = aRunHeader({ state: 'failed', finishedAtMs: 9 });
    await one.log.seal(lease, final, 1, { type: 'RunEnded' });
    await one.log.seal(lease, final, 1, { type: 'RunEnded' });
    expect(await counts()).toEqual([3, own - 1, 2, 0]);
    await two.intake.reopen({ ...final, state: 'running' }, { type: 'RunRetried' });
    expect(await counts()).toEqual([4, own, 2, 0]);
  });

  it('leaves a run of the same id as it is', async () => {
    const { one } = get();
    await one.intake.create(aRunHeader(), accepted('r-1'));
    expect(await one.intake.create(aRunHeader({ name: 'other' }), accepted('r-1'))).toEqual({ runId: 'r-1', existing: true });
    expect((await one.reader.get('r-1'))?.name).toBe('demo');
    expect(await one.log.read('r-1', 0)).toHaveLength(1);
  });

  it('answers a known idempotency key with the run that has it, per project', async () => {
    const { one, two } = get();
    const create = (store: RunStore, runId: string, projectId: string) =>
      store.intake.create(aRunHeader({ runId, projectId }), accepted(runId), 'key');
    expect(await create(one, 'r-1', 'p1')).toEqual({ runId: 'r-1', existing: false });
    expect(await create(two, 'r-2', 'p1')).toEqual({ runId: 'r-1', existing: true });
    expect(await create(two, 'r-3', 'p2')).toEqual({ runId: 'r-3', existing: false });
    expect(await two.reader.get('r-2')).toBeUndefined();
    expect((await two.reader.list({ limit: 10 })).runs).toHaveLength(2);
  });

  it('refuses a known idempotency key for something else', async () => {
    const { one, two } = get();
    const create = (runId: string, fingerprint: string): Promise<unknown> =>
      one.intake.create(aRunHeader({ runId }), accepted(runId), { key: 'key', fingerprint });
    const { projectId } = aRunHeader();
    expect(await two.intake.find(projectId, { key: 'key', fingerprint: 'f' })).toBeUndefined();
    expect(await create('r-1', 'f')).toEqual({ runId: 'r-1', existing: false });
    expect(await create('r-2', 'f')).toEqual({ runId: 'r-1', existing: true });
    expect(await two.intake.find(projectId, { key: 'key', fingerprint: 'f' })).toBe('r-1');
    expect(await two.intake.find(projectId, 'key')).toBe('r-1');
    expect(await two.intake.find('other', { key: 'key', fingerprint: 'g' })).toBeUndefined();
    const conflict = { name: 'ServiceError', code: 'ALREADY_EXISTS', message: expect.stringContaining('r-1') };
    await expect(create('r-3', 'g')).rejects.toMatchObject(conflict);
    await expect(two.intake.find(projectId, { key: 'key', fingerprint: 'g' })).rejects.toMatchObject(conflict);
    expect(await two.reader.get('r-3')).toBeUndefined();
  });

  it('creates one run however many calls race with one key', async () => {
    const { one, two } = get();
    const ids = Array.from({ length: 20 }, (_, n) => `r-race-${n}`);
    const answers = await Promise.all(
      ids.map((runId, n) =>
        (n % 2 ? one : two).intake.create(aRunHeader({ runId, submittedAtMs: 1_760_000_000_000 + n }), accepted(runId), 'key'),
      ),
    );
    const winners = new Set(answers.map((answer) => answer.runId));
    expect(winners.size).toBe(1);
    expect(answers.filter((answer) => !answer.existing)).toHaveLength(1);
    const { runs } = await one.reader.list({ limit: 100 });
    expect(runs.map((run) => run.runId)).toEqual([...winners]);
    expect((await one.log.read([...winners][0] ?? '', 0)).map((entry) => entry.event)).toEqual([accepted([...winners][0] ?? '')]);
  });

  it('takes requests for runs that exist, without a lease', async () => {
    const { one, two } = get();
    expect(await two.intake.request('r-1', { type: 'CancelAsked' })).toBe(false);
    await one.intake.create(aRunHeader(), accepted('r-1'));
    expect(await two.intake.request('r-1', { type: 'CancelAsked' })).toBe(true);
    expect((await one.log.read('r-1', 1)).map(({ sequence, event }) => [sequence, event.type])).toEqual([[2, 'CancelAsked']]);
  });

  it('keeps plans by hash', async () => {
    const { one, two } = get();
    const plan = { planVersion: 1 as const, cwlVersion: 'v1.2', root: 'main', processes: { main: TOOL_WITH_DEFAULT } };
    expect(await two.log.getPlan('h')).toBeUndefined();
    await one.intake.putPlan('h', plan);
    await one.intake.putPlan('h', { ...plan, root: 'changed' });
    expect(await two.log.getPlan('h')).toEqual(plan);
  });
}

function logContract(get: () => RunStoreFixture): void {
  it('appends after the expected sequence only', async () => {
    const { one } = get();
    const lease = await startRun(one);
    expect(await one.log.append(lease, 'r-1', 1, [note('a'), note('b')])).toEqual({ ok: true, sequence: 3, atMs: expect.any(Number) });
    expect(await one.log.append(lease, 'r-1', 1, [note('x')])).toEqual({ ok: false, reason: 'conflict', sequence: 3 });
    expect(await one.log.append(lease, 'r-1', 7, [note('x')])).toEqual({ ok: false, reason: 'conflict', sequence: 3 });
    expect((await one.log.read('r-1', 0)).map((entry) => entry.sequence)).toEqual([1, 2, 3]);
    expect((await one.log.read('r-1', 2)).map((entry) => entry.event)).toEqual([note('b')]);
    expect(await one.log.read('r-1', 3)).toEqual([]);
    expect(await one.log.read('r-none', 0)).toEqual([]);
  });

  it('gives all entries of an append the time it answers with', async () => {
    const { one } = get();
    const lease = await startRun(one);
    const result = await one.log.append(lease, 'r-1', 1, [note('a'), note('b')]);
    const times = (await one.log.read('r-1', 1)).map((entry) => entry.atMs);
    expect(result).toMatchObject({ ok: true, atMs: times[0] });
    expect(times[1]).toBe(times[0]);
  });

  it('recognises an append that was done before its answer was lost', async () => {
    const { one } = get();
    const lease = await startRun(one);
    const first = await one.log.append(lease, 'r-1', 1, [note('a'), note('b')]);
    expect(await one.log.append(lease, 'r-1', 1, [note('a'), note('b')])).toEqual(first);
    await one.intake.request('r-1', { type: 'CancelAsked' });
    expect(await one.log.append(lease, 'r-1', 1, [note('a'), note('b')])).toEqual(first);
    expect(await one.log.append(lease, 'r-1', 1, [note('a'), note('c')])).toMatchObject({ reason: 'conflict' });
    expect(await one.log.append(lease, 'r-1', 1, [note('a'), note('b'), note('c')])).toMatchObject({ reason: 'conflict' });
    expect(await one.log.read('r-1', 0)).toHaveLength(4);
  });

  it('lets exactly one of two racing appends through', async () => {
    const { one, two } = get();
    const lease = await startRun(one);
    const results = await Promise.all([one.log.append(lease, 'r-1', 1, [note('a')]), two.intake.request('r-1', note('b'))]);
    expect(results[1]).toBe(true);
    expect(await one.log.read('r-1', 0)).toHaveLength(results[0].ok ? 3 : 2);
  });

  it('takes an append after the very entry its writer has read, and says where the log went on otherwise', async () => {
    const { one, two } = get();
    const lease = await startRun(one);
    const [{ atMs }] = (await one.log.read('r-1', 0)) as [LogEntry];
    const first = await one.log.append(lease, 'r-1', { sequence: 1, atMs }, [note('a')]);
    expect(first).toMatchObject({ ok: true, sequence: 2 });
    expect(await one.log.append(lease, 'r-1', { sequence: 1, atMs }, [note('a')])).toEqual(first);
    await two.intake.request('r-1', note('b'));
    expect(await one.log.append(lease, 'r-1', { sequence: 1, atMs }, [note('c')])).toEqual({ ok: false, reason: 'conflict', sequence: 3 });
    const diverged = { ok: false, reason: 'diverged' };
    expect(await one.log.append(lease, 'r-1', { sequence: 1, atMs: atMs - 1 }, [note('c')])).toEqual(diverged);
    expect(await one.log.append(lease, 'r-1', { sequence: 7, atMs }, [note('c')])).toEqual(diverged);
    expect(await one.log.seal(lease, aRunHeader({ state: 'failed' }), { sequence: 7, atMs }, ended)).toEqual(diverged);
    expect(await one.log.read('r-1', 0)).toHaveLength(3);
  });

  it('fences an owner whose lease was taken over or given back', async () => {
    const { one, two } = get();
    await one.intake.create(aRunHeader(), accepted('r-1'));
    const lapsed = await leaseOf(one, 'r-1', 'owner-1', 0);
    const taken = await leaseOf(two, 'r-1', 'owner-2');
    expect(await one.log.append(lapsed, 'r-1', 1, [note('a')])).toEqual({ ok: false, reason: 'fenced' });
    expect(await one.log.updateHeader(lapsed, aRunHeader({ name: 'x' }))).toBe(false);
    expect(await one.log.seal(lapsed, aRunHeader({ state: 'failed' }), 1, ended)).toEqual({ ok: false, reason: 'fenced' });
    expect(await two.log.append(taken, 'r-1', 1, [note('a')])).toMatchObject({ ok: true });
    await two.leases.release(taken);
    expect(await two.log.append(taken, 'r-1', 2, [note('b')])).toEqual({ ok: false, reason: 'fenced' });
    expect((await one.reader.get('r-1'))?.name).toBe('demo');
  });

  it('says when there is no such run, and refuses what makes no sense', async () => {
    const { one } = get();
    const lease = await startRun(one);
    const other = { ...lease, partition: (lease.partition + 1) % PARTITIONS };
    await expect(one.log.append(other, 'r-1', 1, [note('a')])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(one.log.append(lease, 'r-1', 1, [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const gone = await leaseOf(one, 'r-none');
    expect(await one.log.append(gone, 'r-none', 1, [note('a')])).toEqual({ ok: false, reason: 'gone' });
    expect(await one.log.seal(gone, aRunHeader({ runId: 'r-none' }), 1, ended)).toEqual({ ok: false, reason: 'gone' });
    expect(await one.log.updateHeader(gone, aRunHeader({ runId: 'r-none' }))).toBe(false);
    expect(await one.reader.get('r-none')).toBeUndefined();
  });

  it('replaces the header', async () => {
    const { one, two } = get();
    const lease = await startRun(one);
    const running = aRunHeader({ state: 'running', startedAtMs: 5, currentSteps: ['align'] });
    expect(await one.log.updateHeader(lease, running)).toBe(true);
    expect(await two.reader.get('r-1')).toEqual(running);
  });
}

function sealContract(get: () => RunStoreFixture): void {
  const final = aRunHeader({ state: 'succeeded', finishedAtMs: 9 });
  const outputs = { n: 1, ä: ['ö', -9223372036854775808n] };

  it('ends log and header at once and takes nothing more', async () => {
    const { one, two } = get();
    const lease = await startRun(one);
    const sealed = await one.log.seal(lease, final, 1, ended, outputs);
    expect(sealed).toEqual({ ok: true, sequence: 2, atMs: expect.any(Number) });
    expect(await two.reader.get('r-1')).toEqual(final);
    expect(await two.log.active(partitionOf('r-1'))).toEqual([]);
    expect(await one.log.append(lease, 'r-1', 2, [note('late')])).toEqual({ ok: false, reason: 'conflict', sequence: 2 });
    expect(await one.log.updateHeader(lease, aRunHeader({ state: 'running' }))).toBe(false);
    expect(await two.intake.request('r-1', { type: 'CancelAsked' })).toBe(true);
    expect(await one.log.seal(lease, final, 1, ended, outputs)).toEqual(sealed);
    expect(await one.log.seal(lease, final, 2, ended)).toMatchObject({ reason: 'conflict' });
    expect(await two.log.read('r-1', 0)).toHaveLength(2);
    expect(await two.reader.get('r-1')).toEqual(final);
    expect(await objectOf(two, 'outputs')).toEqual(outputs);
  });

  it('does nothing when somebody else was first', async () => {
    const { one } = get();
    const lease = await startRun(one);
    await one.intake.request('r-1', { type: 'CancelAsked' });
    expect(await one.log.seal(lease, final, 1, ended)).toEqual({ ok: false, reason: 'conflict', sequence: 2 });
    expect((await one.reader.get('r-1'))?.state).toBe('pending');
    expect(await one.log.active(partitionOf('r-1'))).toEqual(['r-1']);
  });
}

function nudgesContract(get: () => RunStoreFixture): void {
  it('tell every process of what was created and appended, with its sequence', async () => {
    const { one, two } = get();
    const heard = new Inbox<[string, number]>();
    const stop = await two.nudges.subscribe(
      partitionOf('r-1'),
      (runId, sequence) => heard.push([runId, sequence]),
      () => undefined,
    );
    const lease = await startRun(one);
    await one.log.append(lease, 'r-1', 1, [note('a'), note('b')]);
    await one.intake.request('r-1', { type: 'CancelAsked' });
    await one.log.seal(lease, aRunHeader({ state: 'cancelled' }), 4, ended);
    expect(await heard.atLeast(4)).toEqual([
      ['r-1', 1],
      ['r-1', 3],
      ['r-1', 4],
      ['r-1', 5],
    ]);
    await stop();
  });

  it('reach each subscriber of a partition, and none after it stopped', async () => {
    const { one, two } = get();
    const [left, right] = [new Inbox<number>(), new Inbox<number>()];
    const listen = (inbox: Inbox<number>) =>
      two.nudges.subscribe(
        partitionOf('r-1'),
        (_id, sequence) => inbox.push(sequence),
        () => undefined,
      );
    const stops = await Promise.all([listen(left), listen(right)]);
    await one.intake.create(aRunHeader(), accepted('r-1'));
    await Promise.all([left.atLeast(1), right.atLeast(1)]);
    await stops[0]();
    await one.intake.request('r-1', { type: 'CancelAsked' });
    expect(await right.atLeast(2)).toEqual([1, 2]);
    expect(left.items).toEqual([1]);
    await stops[1]();
  });
}
