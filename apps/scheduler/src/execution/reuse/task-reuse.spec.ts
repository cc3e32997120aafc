import type { CallCache } from '@weft/call-cache';
import { executor } from '@weft/contracts';
import type { EngineEvent } from '@weft/engine';
import { createEvaluator } from '@weft/expressions';
import type { CommandLineTool, Requirement } from '@weft/plan';
import { createLogger, ServiceError } from '@weft/platform';
import { aRunner, aTaskJob, DeferredGate } from '@weft/testing';
import { createTaskBuilder, type PreparedTask, type TaskRequest } from '@weft/tasks';
import { LocalStorage } from '@weft/storage';
import { RunnerPool } from '../../placement/runner-pool.js';
import { TaskReuse, type TaskReuseDeps } from './task-reuse.js';
import { layoutOf, requestOf } from '../task-spec.js';

const tool = (requirements: Requirement[] = [], inputs: CommandLineTool['inputs'] = []): CommandLineTool => ({
  ...{ class: 'CommandLineTool', id: 't', inputs, outputs: [], baseCommand: ['echo'], arguments: ['$(runtime.outdir)'] },
  ...{ successCodes: [], temporaryFailCodes: [], permanentFailCodes: [], requirements, hints: [], declaredVersion: 'v1.2' },
});
const DOCKER: Requirement = { class: 'DockerRequirement', dockerPull: 'image:tag' };
const evaluator = createEvaluator();
const builder = createTaskBuilder({ evaluator, files: new LocalStorage() });
const never = new AbortController().signal;
const job = aTaskJob({ projectId: 'p', processId: 't' });
const succeeded: EngineEvent = { type: 'TaskSucceeded', taskId: 't-1', attempt: 1, outputs: {}, exitCode: 0 };

afterAll(() => evaluator.close());

interface World {
  reuse: TaskReuse;
  request: TaskRequest;
  prepared: PreparedTask;
  /** What the cache was asked, in order. */
  asked: string[];
  keys: string[];
  pool: RunnerPool;
  find(signal?: AbortSignal): ReturnType<TaskReuse['find']>;
  /** As the dispatcher does it after a miss. */
  execute(imageId?: string): void;
}

interface Circumstances {
  requirements?: Requirement[];
  options?: Partial<typeof job.options>;
  find?: CallCache['find'];
  /** What becomes of storing its result. */
  kept?: Promise<'kept'>;
  /** What the runner says the task runs in, call by call; the last one again and again. */
  contents?: (Record<string, string> | undefined)[];
  runners?: number;
  /** What its directory has in it when it begins, and when its result is stored. */
  directory?: [before: string, after: string];
}

async function world({
  requirements = [],
  options = {},
  find,
  kept = Promise.resolve('kept'),
  contents = [{ echo: 'sha256:1' }],
  runners = 1,
  directory,
}: Circumstances = {}): Promise<World> {
  const inputs = directory && { d: { class: 'Directory', location: 'file:///in/d' } };
  const one = { ...job, options: { ...job.options, ...options }, inputs: inputs ?? {} };
  const asked: string[] = [];
  const keys: string[] = [];
  const pool = new RunnerPool();
  const runtimes = ['process', 'docker'].map((name) => ({ name, version: '', containers: name === 'docker', unavailable: '' }));
  const record = { ...aRunner({ runtimes, capacity: { cores: 1, ramBytes: 2 ** 33, diskBytes: 2 ** 40, gpus: 0 } }), lastSeenMs: 0 };
  if (runners > 0) pool.update([record]);
  const cache = {
    find: (key: string, ...rest: [string, never, AbortSignal]) => {
      asked.push('find');
      keys.push(key);
      return find === undefined ? Promise.resolve(undefined) : find(key, ...rest);
    },
    keep: async ({ key, claim }: Parameters<CallCache['keep']>[0]) => {
      asked.push(`keep ${claim === undefined ? 'unclaimed' : claim.key === key ? 'claimed' : `another, ${claim.news}`}`);
      keys.push(key);
      return kept;
    },
    giveUp: async (_key: string, _holder: string, news: string) => void asked.push(`give up ${news}`),
    contents: {
      forRun: () => ({ of: async () => directory?.[0] ?? 'x' }),
      anew: () => ({ of: async () => directory?.[1] ?? 'x' }),
      justPublished: async () => undefined,
    },
  } as never as TaskReuseDeps['cache'];
  let calls = 0;
  const runContents = { of: async () => contents[Math.min(calls++, contents.length - 1)] };
  const reuse = new TaskReuse(one, { cache, contents: runContents, pool, logger: createLogger('test', 'silent'), dataUri: 'file:///d/' });
  const plan = {
    planVersion: 1 as const,
    cwlVersion: 'v1.2',
    root: 't',
    processes: { t: tool(requirements, inputs && [{ name: 'd', type: 'Directory' }]) },
  };
  const request = requestOf(one, plan);
  const prepared = await builder.prepare(request);
  const execute = (imageId = ''): void => {
    const where = pool.likely({ pool: 'default', resources: prepared.resources, isolation: prepared.container ? 'container' : 'process' });
    if (where === undefined) throw new Error('no runner');
    const { layout, contained } = layoutOf(one, prepared, where);
    const bound = reuse.boundFor(layout);
    if (bound === undefined) throw new Error('it was not bound for this runner');
    const { runnerId, address } = where.runner;
    const finished = executor.Finished.create({ outcome: executor.Outcome.EXITED, imageId });
    void reuse.ran(bound, { runnerId, address, runtime: where.runtime, contained }, finished, {});
  };
  const ask = (signal = never): ReturnType<TaskReuse['find']> => reuse.find(request, prepared, undefined, { signal, look: (work) => work });
  return { reuse, request, prepared, asked, keys, pool, find: ask, execute };
}

describe('a task that may be reused', () => {
  it('is answered with the result that is known, and asks for no room', async () => {
    const { find, pool, reuse, asked } = await world({ find: async () => ({ outputs: { o: 1 }, exitCode: 3 }) });
    const resources = { cores: 1, ramMiB: 1, tmpdirMiB: 1, outdirMiB: 1, diskMiB: 0, gpus: 0, limits: {} };
    await pool.place({ pool: 'default', resources, isolation: 'process', signal: never });
    expect(await find()).toEqual({ type: 'TaskSucceeded', taskId: 't-1', attempt: 1, outputs: { o: 1 }, exitCode: 3, cached: true });
    expect([pool.reservedCores, pool.waitingCount]).toEqual([1, 0]);
    await reuse.answered(succeeded);
    expect(asked).toEqual(['find']);
  });

  it('holds no room while it waits for another, and stops waiting when cancelled', async () => {
    const gate = new DeferredGate();
    const cancel = new AbortController();
    const { find, pool, reuse, asked } = await world({ find: () => gate.pass().then(() => undefined) });
    const waiting = find(cancel.signal);
    await gate.reached;
    expect([pool.reservedCores, pool.waitingCount]).toEqual([0, 0]);
    cancel.abort();
    gate.fail(new Error('aborted'));
    await expect(waiting).rejects.toThrow('aborted');
    await reuse.end();
    expect(asked).toEqual(['find', 'give up look']);
  });

  it('is cancelled while its inputs are looked at', async () => {
    const cancel = new AbortController();
    const { find, asked, reuse } = await world({ contents: [] });
    const waiting = find(cancel.signal);
    cancel.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    await reuse.end();
    expect(asked).toEqual([]);
  });

  it('is stored under the key it was looked for by, after it was executed', async () => {
    const { find, execute, reuse, asked, keys } = await world();
    expect(await find()).toBeUndefined();
    execute();
    await reuse.answered(succeeded);
    await reuse.end();
    expect(asked).toEqual(['find', 'keep claimed']);
    expect(new Set(keys).size).toBe(1);
  });

  it('gives its claim back where its result cannot be stored', async () => {
    const { find, execute, reuse, asked } = await world({ kept: Promise.reject(new ServiceError('UNAVAILABLE', 'no')) });
    await find();
    execute();
    await reuse.answered(succeeded);
    expect(asked).toEqual(['find', 'keep claimed', 'give up look']);
  });

  it.each<[string, EngineEvent, string]>([
    ['fails', { type: 'TaskFailed', taskId: 't-1', attempt: 1, failure: { code: 'X', message: '' }, retryable: false }, 'give up failed'],
    [
      'may be tried again',
      { type: 'TaskFailed', taskId: 't-1', attempt: 1, failure: { code: 'X', message: '' }, retryable: true },
      'give up look',
    ],
    ['is cancelled', { type: 'TaskCancelled', taskId: 't-1', attempt: 1 }, 'give up look'],
  ])('gives its claim back when it %s', async (_name, answer, expected) => {
    const { find, reuse, asked } = await world();
    await find();
    await reuse.answered(answer);
    await reuse.end();
    expect(asked).toEqual(['find', expected]);
  });

  it('is executed where looking goes wrong', async () => {
    const { find } = await world({ find: () => Promise.reject(new ServiceError('UNAVAILABLE', 'no')) });
    expect(await find()).toBeUndefined();
  });

  it('waits for the first runner, to know how it will be bound', async () => {
    const { find, pool, asked } = await world({ runners: 0 });
    const waiting = find();
    expect(pool.waitingCount).toBe(1);
    pool.update([{ ...aRunner(), lastSeenMs: 0 }]);
    expect(await waiting).toBeUndefined();
    expect([asked, pool.reservedCores]).toEqual([['find'], 0]);
  });

  it('is stored under what it really ran in', async () => {
    const { find, execute, reuse, asked, keys } = await world({ requirements: [DOCKER], contents: [{ image: 'sha256:old' }] });
    await find();
    execute('sha256:new');
    await reuse.answered(succeeded);
    expect(asked).toEqual(['find', 'keep another, failed']);
    expect(new Set(keys).size).toBe(2);
  });

  it('shares the execution that fetches its image', async () => {
    const missing = await world({ requirements: [DOCKER], contents: [undefined] });
    await missing.find();
    missing.execute('sha256:1');
    await missing.reuse.answered(succeeded);
    expect(missing.asked).toEqual(['find', 'keep another, look']);
    const second = await world({ requirements: [DOCKER], contents: [undefined, { image: 'sha256:1' }] });
    await second.find();
    expect(second.asked).toEqual(['find', 'give up look', 'find']);
    expect(second.keys).toEqual(missing.keys);
  });

  it('is not stored where a program changed meanwhile, or its image is not told', async () => {
    const changed = await world({ contents: [{ echo: 'sha256:1' }, { echo: 'sha256:2' }] });
    await changed.find();
    changed.execute();
    await changed.reuse.answered(succeeded);
    expect(changed.asked).toEqual(['find', 'give up failed']);
    const untold = await world({ requirements: [DOCKER], contents: [{ image: 'sha256:1' }] });
    await untold.find();
    untold.execute('');
    await untold.reuse.answered(succeeded);
    expect(untold.asked).toEqual(['find', 'give up failed']);
  });

  it.each([
    ['is not stored where a directory changed meanwhile', ['tree 1', 'tree 2'], 'give up failed'],
    ['is stored where it did not', ['tree 1', 'tree 1'], 'keep claimed'],
  ] as const)('%s', async (_name, directory, expected) => {
    const { find, execute, reuse, asked } = await world({ directory: [...directory] });
    await find();
    execute();
    await reuse.answered(succeeded);
    expect(asked).toEqual(['find', expected]);
  });

  it('is stored but not looked for without the cache', async () => {
    const { find, execute, reuse, asked } = await world({ options: { noCache: true } });
    expect(await find()).toBeUndefined();
    execute();
    await reuse.answered(succeeded);
    expect(asked).toEqual(['keep unclaimed']);
  });
});

it.each<[string, Requirement]>([
  ['its author does not want it', { class: 'WorkReuse', enableReuse: false }],
  ['it changes its inputs', { class: 'InplaceUpdateRequirement', inplaceUpdate: true }],
])('a task is neither looked for nor stored where %s', async (_name, requirement) => {
  const { find, reuse, asked } = await world({ requirements: [requirement] });
  expect(await find()).toBeUndefined();
  await reuse.answered(succeeded);
  expect(asked).toEqual([]);
});

it('an attempt that began elsewhere is neither looked for nor stored', async () => {
  const { reuse, request, prepared, asked } = await world();
  expect(
    await reuse.find(request, prepared, { runnerId: 'r', runtime: 'process' }, { signal: never, look: (work) => work }),
  ).toBeUndefined();
  await reuse.answered(succeeded);
  expect(asked).toEqual([]);
});
