/** Where a run would take more of the scheduler's memory than it may, it is that run that hears of it, and nobody else. */
import { scheduler } from '@weft/contracts';
import type { EngineEvent } from '@weft/engine';
import { partitionOf, type RunStore } from '@weft/run-store';
import { LocalStorage } from '@weft/storage';
import { createFakeRunStore, FakeRunStoreData } from '@weft/testing';
import { openReach } from '../../../test/open-reach.js';
import { outputsOf, owning, RUN, submitted, succeeded, wholeLog } from '../../../test/owned-runs.js';
import { PlanCache } from '../../plans/plan-cache.js';
import { loadSubmission } from '../../loading/load-submission.js';
import { LoadingPool } from '../../loading/loading-pool.js';
import { SecretBox } from '../../secrets/secret-box.js';
import type { PartitionOwner } from '../partition-owner.js';
import { RunMemory } from './run-memory.js';
import { RunQueries } from '../../api/run-queries.js';
import { Submissions } from '../../intake/submission.js';

const MIB = 1024 * 1024;
const long = (mib: number): string => 'x'.repeat(mib * MIB);

async function begun(values: string[], capacity = 4 * MIB, data = new FakeRunStoreData()) {
  const store = createFakeRunStore(data);
  const memory = new RunMemory(capacity);
  const { owner, executor } = await owning(store, 'me', async (outputs) => outputs, undefined, memory);
  await submitted(store, RUN, { values });
  await executor.commands.atLeast(values.length);
  return { store, data, memory, owner, offer: (event: EngineEvent) => executor.actor?.offer(event) };
}

function queriesOf(store: RunStore, owner: PartitionOwner, memory: RunMemory, readers = memory): RunQueries {
  return new RunQueries({
    ...{ store, owner, memory, readers, storage: new LocalStorage(), dataUri: 'file:///data/', beforeRetry: async () => undefined },
    plans: new PlanCache((hash) => store.log.getPlan(hash)),
  });
}

describe('a run that is under way', () => {
  it('fails with the output that there is no room for, and has left nothing when it has ended', async () => {
    const { store, memory, owner, offer } = await begun(['a', 'b']);
    void offer(succeeded(`${RUN}-1`, long(3)));
    void offer(succeeded(`${RUN}-2`, long(3)));
    await wholeLog(store);
    const failure = { code: 'OUTPUT_SIZE', step: 's', message: expect.stringContaining('no memory left for the output object') };
    expect(await store.reader.get(RUN)).toMatchObject({ state: 'failed', failure });
    expect(memory.held).toBe(0);
    await owner.close();
  });

  it('gives back what it held when another replica has it', async () => {
    const { memory, owner, offer } = await begun([long(1), 'b']);
    await offer(succeeded(`${RUN}-1`, long(2)));
    expect(memory.held).toBeGreaterThan(3 * MIB);
    await owner.close();
    expect(memory.held).toBe(0);
  });

  it('is taken over although there is no room for it, and ends', async () => {
    const { store, data, owner } = await begun([long(2), 'b']);
    await owner.close();
    const memory = new RunMemory(MIB);
    const second = await owning(createFakeRunStore(data), 'other', async (outputs) => outputs, undefined, memory);
    await second.executor.commands.atLeast(2);
    expect(memory.held).toBeGreaterThan(2 * MIB);
    for (const task of [1, 2]) void second.executor.actor?.offer({ type: 'TaskFailed', ...failed(`${RUN}-${task}`) });
    await wholeLog(store);
    // Not even its words are taken whole.
    const { failure } = (await store.reader.get(RUN)) ?? {};
    expect(failure).toMatchObject({ code: 'TOOL_EXIT', message: 'm'.repeat(200) });
    expect(failure?.stderrTail ?? []).toEqual([]);
    expect(memory.held).toBe(0);
    await second.owner.close();
  });

  const failed = (taskId: string) => ({
    ...{ taskId, attempt: 1, retryable: false },
    failure: { code: 'TOOL_EXIT', message: 'm'.repeat(10_000), stderrTail: ['y'.repeat(10_000)] },
  });
});

describe('a run that has ended', () => {
  it('is read where there is memory for it, else that is said, and holds none afterwards', async () => {
    const { store, owner, offer } = await begun(['a', 'b']);
    for (const task of [1, 2]) await offer(succeeded(`${RUN}-${task}`, long(1)));
    await wholeLog(store);
    expect(await outputsOf(store)).toEqual({ o: [long(1), long(1)] });
    const page = { runId: RUN, pageSize: 0, pageToken: '' };
    const [little, enough] = [new RunMemory(MIB), new RunMemory(4 * MIB)];
    const refused = {
      code: 'RESOURCE_EXHAUSTED',
      retryAfterMs: expect.any(Number),
      message: expect.stringContaining(`to read run ${RUN}`),
    };
    await expect(queriesOf(store, owner, little).tasks(page)).rejects.toMatchObject(refused);
    const watch = queriesOf(store, owner, little).watch(
      { runId: RUN, afterSequence: 0, afterOrdinal: undefined },
      new AbortController().signal,
    );
    await expect(
      (async () => {
        for await (const event of watch) void event;
      })(),
    ).rejects.toMatchObject(refused);
    expect((await queriesOf(store, owner, enough).tasks(page)).tasks).toHaveLength(2);
    expect([little.held, enough.held]).toEqual([0, 0]);
    await owner.close();
  });

  it('does not go on while those of its project hold all that they may', async () => {
    const { store, owner, memory, offer } = await begun(['a', 'b']);
    await offer({ type: 'TaskFailed', taskId: `${RUN}-1`, attempt: 1, retryable: false, failure: { code: 'X', message: '' } });
    await offer({ type: 'TaskCancelled', taskId: `${RUN}-2`, attempt: 1 });
    await wholeLog(store);
    const { projectId } = (await store.reader.get(RUN)) ?? { projectId: '' };
    const other = memory.begin(projectId, 'p', { planVersion: 1, cwlVersion: 'v1.2', root: '', processes: {} });
    other.add(5 * MIB);
    const queries = queriesOf(store, owner, memory);
    await expect(queries.retry(RUN)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining('to go on') });
    expect((await store.reader.get(RUN))?.state).toBe('failed');
    other.end();
    expect((await queries.retry(RUN)).state).not.toBe('failed');
    await owner.close();
  });
});

describe('a submission', () => {
  const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\ninputs: {text: string}\noutputs: {}\n';
  const document = { rootUri: 'inline:///tool.cwl', files: { 'inline:///tool.cwl': TOOL } };
  const never = (): Promise<never> => Promise.reject(new Error('not asked here'));

  function aService(memory: RunMemory, isOwn: (runId: string) => boolean = () => true) {
    const data = new FakeRunStoreData();
    const submissions = new Submissions({
      ...{ memory, isOwn, plans: { remember: () => undefined }, intake: createFakeRunStore(data).intake },
      // In threads what is large is read; here as it comes.
      loading: Object.assign(new LoadingPool({ threads: 0, cpuMs: 1, heapMb: 1, waiting: 0, waitingInAll: 0, locate: never }), {
        load: async (request: Parameters<typeof loadSubmission>[0]) => loadSubmission(request),
      }),
      ...{ secrets: new SecretBox(Buffer.alloc(32)), reach: openReach({ stat: never, readText: never, list: never }) },
      evaluator: { evaluate: never, drop: () => undefined, warmUp: never, close: never },
      ...{ pools: () => ['default'], pin: async () => undefined, maxAttempts: 3, takesCaller: false, callCache: 'asked' },
      backlog: { admit: async () => ({ settle: () => undefined }) },
    });
    const submit = async (mib: number, projectId = 'p'): Promise<string> =>
      (
        await submissions.submit(
          scheduler.SubmitRunRequest.fromPartial({ document, projectId, inputsJson: JSON.stringify({ text: long(mib) }) }),
        )
      ).runId;
    return { data, submit };
  }

  it('is refused while there is no room for it, and for good where there never is, and leaves nothing', async () => {
    const memory = new RunMemory(4 * MIB);
    const { data, submit } = aService(memory);
    const run = memory.begin('p', 'p', { planVersion: 1, cwlVersion: 'v1.2', root: '', processes: {} });
    run.add(3 * MIB);
    await expect(submit(2)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryAfterMs: expect.any(Number) });
    await expect(submit(5)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('(4 MiB)') });
    expect([data.runs.size, data.plans.size]).toEqual([0, 0]);
    await submit(1, 'another');
    run.end();
    await submit(2);
    expect(data.runs.size).toBe(2);
  });

  it('that is large becomes a run of the replica that took it', async () => {
    const isOwn = (runId: string): boolean => partitionOf(runId) % 16 === 3;
    const { submit } = aService(new RunMemory(Infinity), isOwn);
    for (let n = 0; n < 5; n += 1) expect(isOwn(await submit(1))).toBe(true);
    // A replica without partitions takes it for another.
    await aService(new RunMemory(Infinity), () => false).submit(1);
  });
});
