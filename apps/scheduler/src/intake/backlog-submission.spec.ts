/** Submissions before a full service: refused ones leave nothing behind, accepted ones are answered again. */
import { scheduler } from '@weft/contracts';
import { createFakeRunStore, FakeRunStoreData } from '@weft/testing';
import { LoadingPool } from '../loading/loading-pool.js';
import { Submissions } from './submission.js';
import { Backlog } from './backlog.js';
import { openReach } from '../../test/open-reach.js';
import { SecretBox } from '../secrets/secret-box.js';
import { RunMemory } from '../runs/memory/run-memory.js';

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\ninputs: {n: int}\noutputs: {}\n';

function aService(maxRuns: number): {
  data: FakeRunStoreData;
  submit: (key: string, n: number) => Promise<string>;
  passMs: (ms: number) => void;
} {
  let nowMs = 0;
  const data = new FakeRunStoreData();
  const { intake } = createFakeRunStore(data);
  const limits = { maxRuns, of: () => ({ maxTasks: Infinity, maxRuns: Infinity, weight: 1 }) };
  const never = (): Promise<never> => Promise.reject(new Error('not asked here'));
  const submissions = new Submissions({
    plans: { remember: () => undefined },
    memory: new RunMemory(Infinity),
    isOwn: () => true,
    intake,
    loading: new LoadingPool({ threads: 0, cpuMs: 1, heapMb: 1, waiting: 0, waitingInAll: 0, locate: never }),
    secrets: new SecretBox(Buffer.alloc(32)),
    reach: openReach({ stat: never, readText: never, list: never }),
    evaluator: { evaluate: never, drop: () => undefined, warmUp: never, close: never },
    pools: () => ['default'],
    pin: async () => undefined,
    maxAttempts: 3,
    takesCaller: false,
    callCache: 'asked',
    backlog: new Backlog({ limits, count: (project) => intake.activeRuns(project), nowMs: () => nowMs }),
  });
  const document = { rootUri: 'inline:///tool.cwl', files: { 'inline:///tool.cwl': TOOL } };
  return {
    data,
    passMs: (ms) => void (nowMs += ms),
    submit: async (idempotencyKey, n) => {
      const request = scheduler.SubmitRunRequest.fromPartial({ document, inputsJson: JSON.stringify({ n }), idempotencyKey });
      return (await submissions.submit(request)).runId;
    },
  };
}

const refused = { code: 'RESOURCE_EXHAUSTED', retryAfterMs: expect.any(Number) };

it('stores nothing of what it refuses, and takes it under the same key when there is room', async () => {
  const { data, submit, passMs } = aService(1);
  await submit('first', 1);
  await expect(submit('second', 2)).rejects.toMatchObject(refused);
  expect([data.runs.size, data.idempotency.size]).toEqual([1, 1]);
  for (const run of data.runs.values()) run.sealed = true;
  passMs(1_000);
  await submit('second', 2);
  expect([data.runs.size, data.idempotency.size]).toEqual([2, 2]);
});

it('answers a submission that was taken before by its key, full or not', async () => {
  const { data, submit } = aService(1);
  const runId = await submit('first', 1);
  expect(await submit('first', 1)).toBe(runId);
  await expect(submit('second', 2)).rejects.toMatchObject(refused);
  expect(await submit('first', 1)).toBe(runId);
  expect(data.runs.size).toBe(1);
});

it('keeps no room for a submission that is wrong', async () => {
  const { data, submit } = aService(1);
  await expect(submit('wrong', 0.5)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await submit('right', 1);
  expect(data.runs.size).toBe(1);
});
