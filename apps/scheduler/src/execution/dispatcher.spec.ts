import { createEvaluator } from '@weft/expressions';
import { executor } from '@weft/contracts';
import type { EngineEvent } from '@weft/engine';
import type { CommandLineTool, Plan } from '@weft/plan';
import { createLogger, ServiceError } from '@weft/platform';
import type { RunnerRecord } from '@weft/registry';
import type { TaskLogChunk } from '@weft/run-store';
import { aRunner, aTaskJob, Inbox } from '@weft/testing';
import { createTaskBuilder } from '@weft/tasks';
import { LocalStorage } from '@weft/storage';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../kernel/clock.js';
import { Dispatcher, type AttemptLocator } from './dispatcher.js';
import { PlanCache } from '../plans/plan-cache.js';
import { RunnerClients } from './runner/runner-clients.js';
import { RunnerPool } from '../placement/runner-pool.js';
import { TaskExecution } from './runner/task-execution.js';
import { TaskLogBuffer } from './log/task-log-buffer.js';
import { finished, type Scripted, ScriptedRunner, started, written } from '../../test/scripted-runner.js';
import { openReach } from '../../test/open-reach.js';
import { SecretBox } from '../secrets/secret-box.js';

const tool: CommandLineTool = {
  class: 'CommandLineTool',
  id: 't',
  inputs: [{ name: 'x', type: 'string', inputBinding: {} }],
  outputs: [{ name: 'out', type: 'File', outputBinding: { glob: 'out.txt' } }],
  baseCommand: ['echo'],
  arguments: [],
  stdout: 'out.txt',
  successCodes: [0],
  temporaryFailCodes: [75],
  permanentFailCodes: [],
  requirements: [],
  hints: [],
  declaredVersion: 'v1.2',
};
const plan: Plan = { planVersion: 1, cwlVersion: 'v1.2', root: 't', processes: { t: tool } };
const job = aTaskJob({ processId: 't', inputs: { x: 'hi' } });
const FIRST = { again: false };
const never = new AbortController().signal;
const nowhere: AttemptLocator = { find: async () => undefined, answered: async () => false };

let folder: string;
let runner: ScriptedRunner;
let clients: RunnerClients;
const evaluator = createEvaluator();

const record = (runnerId: string, address: string): RunnerRecord => ({
  ...aRunner({ runnerId, address, sandboxRoot: '/s', runtimes: [{ name: 'process', version: '1', containers: false, unavailable: '' }] }),
  capacity: { cores: 1, ramBytes: 2 ** 33, diskBytes: 2 ** 40, gpus: 0 },
  lastSeenMs: 0,
});

async function dispatcherOver(
  script: Scripted[],
  locator: AttemptLocator = nowhere,
  loadPlan: () => Promise<Plan> = async () => plan,
): Promise<{ dispatcher: Dispatcher; reported: Inbox<EngineEvent>; pool: RunnerPool; address: string; noted: TaskLogChunk[] }> {
  const noted: TaskLogChunk[] = [];
  folder = await mkdtemp(join(tmpdir(), 'weft-dispatch-'));
  runner = new ScriptedRunner(script);
  const address = await runner.start(join(folder, 'r.sock'));
  const pool = new RunnerPool({ returnGraceMs: 0 });
  pool.update([record('one', address)]);
  clients = new RunnerClients(undefined);
  const logger = createLogger('test', 'silent');
  const reported = new Inbox<EngineEvent>();
  const dispatcher = new Dispatcher({
    locator,
    inputs: { whole: async (job) => job },
    plans: new PlanCache(loadPlan),
    builder: () => createTaskBuilder({ evaluator, files: new LocalStorage() }),
    secrets: new SecretBox(Buffer.alloc(32)),
    reach: openReach(new LocalStorage()),
    pool,
    execution: (at, spec) => new TaskExecution(clients.of(at), spec, createLogger('test', 'silent')),
    reporter: { report: async (_runId, event) => reported.push(event) },
    logs: new TaskLogBuffer({ append: async (_runId, chunks) => chunks.map((chunk) => [String(noted.push(chunk))]) }, logger),
    logger,
    clock: systemClock,
    dataUri: 'file:///data/',
  });
  return { dispatcher, reported, pool, address, noted };
}

afterEach(async () => {
  clients.close();
  await runner.stop();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => evaluator.close());

describe('a job', () => {
  it('ends with its outputs, its sandbox and its room given back', async () => {
    const { dispatcher, reported, pool } = await dispatcherOver([
      async function* () {
        yield started;
        yield finished({ exitCode: 0, manifest: written });
      },
    ]);
    await dispatcher.handle(job, never, FIRST);
    expect(reported.items).toEqual([
      { type: 'TaskStarted', taskId: 't-1', attempt: 1, runnerId: 'one', runtime: 'process' },
      {
        type: 'TaskSucceeded',
        taskId: 't-1',
        attempt: 1,
        exitCode: 0,
        outputs: { out: { class: 'File', location: 'file:///d/out.txt', basename: 'out.txt', size: 3, checksum: 'sha1$1' } },
      },
    ]);
    expect(runner.specs[0]).toMatchObject({ argv: ['echo', 'hi'], workDir: '/s/t-1.1/work', stdoutPath: 'out.txt', runtime: 'process' });
    expect(runner.released.items).toEqual(['t-1.1']);
    expect(
      (
        await pool.place({
          pool: 'default',
          resources: { cores: 1, ramMiB: 1, tmpdirMiB: 1, outdirMiB: 1, diskMiB: 0, gpus: 0, limits: {} },
          isolation: 'process',
          signal: never,
        })
      ).runtime,
    ).toBe('process');
  });

  it.each<[string, Partial<executor.Finished>, object, boolean]>([
    [
      'a tool that fails',
      { exitCode: 3, stderrTail: ['no such thing'] },
      { code: 'TOOL_EXIT', message: 'the tool exited with code 3', exitCode: 3, stderrTail: ['no such thing'] },
      false,
    ],
    ['a temporary exit code', { exitCode: 75 }, { code: 'TOOL_EXIT', exitCode: 75 }, true],
    ['a missing output', { exitCode: 0, manifest: [] }, { code: 'OUTPUT_MISSING' }, false],
    ['too much memory', { outcome: executor.Outcome.OUT_OF_MEMORY }, { code: 'OUT_OF_MEMORY' }, false],
    [
      'a full disk',
      { outcome: executor.Outcome.FAILED, failure: { code: 'DISK_FULL', message: 'no space', retryable: true } },
      { code: 'DISK_FULL', message: 'no space' },
      true,
    ],
  ])('reports %s', async (_what, end, failure, retryable) => {
    const { dispatcher, reported, noted } = await dispatcherOver([
      async function* () {
        yield finished(end);
      },
    ]);
    await dispatcher.handle(job, never, FIRST);
    expect(reported.items.at(-1)).toMatchObject({ type: 'TaskFailed', failure, retryable });
    // What was executed stands in the log.
    expect(noted).toMatchObject([{ stream: 'system', taskId: 't-1', text: '$ echo hi > out.txt' }]);
    expect(await runner.released.atLeast(1)).toEqual(['t-1.1']);
  });

  it('attaches again when the stream breaks', async () => {
    const { dispatcher, reported } = await dispatcherOver([
      async function* () {
        yield started;
        throw new ServiceError('UNAVAILABLE', 'gone for a moment');
      },
      async function* () {
        yield started;
        yield finished({ exitCode: 0, manifest: written });
      },
    ]);
    await dispatcher.handle(job, never, FIRST);
    expect(reported.items.map(({ type }) => type)).toEqual(['TaskStarted', 'TaskSucceeded']);
    expect(runner.specs[1]).toEqual(runner.specs[0]);
  });

  it('is cancelled at its runner', async () => {
    const { dispatcher, reported } = await dispatcherOver([
      async function* () {
        yield started;
        await runner.gate.pass();
        yield finished({ outcome: executor.Outcome.CANCELLED });
      },
    ]);
    const handled = dispatcher.handle(job, never, FIRST);
    await runner.gate.reached;
    expect(dispatcher.cancel('t-1', 1)).toBe(true);
    expect(dispatcher.cancel('t-2', 1)).toBe(false);
    await runner.cancelled.reached;
    runner.gate.open();
    await handled;
    expect(reported.items.at(-1)).toEqual({ type: 'TaskCancelled', taskId: 't-1', attempt: 1 });
  });

  describe('that its runner lets wait', () => {
    const queued: executor.TaskEvent = { at: undefined, event: { $case: 'queued', value: { reason: '' } } };
    const success = finished({ exitCode: 0, manifest: written });

    it('goes to another runner as soon as that has room, and back to the first if need be', async () => {
      const withdrawn = async function* (): AsyncGenerator<executor.TaskEvent> {
        yield queued;
        await runner.cancelled.reached;
        yield finished({ outcome: executor.Outcome.CANCELLED });
      };
      const { dispatcher, reported, pool, address } = await dispatcherOver([
        withdrawn,
        async function* () {
          yield started;
          yield success;
        },
      ]);
      const handled = dispatcher.handle(job, never, FIRST);
      await runner.executed.atLeast(1);
      pool.update([record('one', address), record('two', address)]);
      await handled;
      expect(reported.items).toMatchObject([
        { type: 'TaskStarted', attempt: 1, runnerId: 'two' },
        { type: 'TaskSucceeded', attempt: 1 },
      ]);
      expect(runner.cancels).toMatchObject([{ waitingOnly: true }]);
      // Of the second try alone, by collecting: the first left nothing.
      expect(runner.released.items).toEqual(['t-1.1']);
      expect(pool.reservedCores).toBe(0);
    });

    it('is told so, unless it was placed there ahead of the room', async () => {
      const short = async function* (): AsyncGenerator<executor.TaskEvent> {
        yield queued;
        yield started;
        yield success;
      };
      const { dispatcher, pool, noted } = await dispatcherOver([short, short]);
      await dispatcher.handle(job, never, FIRST);
      expect(noted.map(({ text }) => text)).toEqual(['waiting for room on runner one']);
      const resources = { cores: 1, ramMiB: 1, tmpdirMiB: 1, outdirMiB: 1, diskMiB: 0, gpus: 0, limits: {} };
      const full = await pool.place({ pool: 'default', resources, isolation: 'process', signal: never });
      await dispatcher.handle({ ...job, taskId: 't-2' }, never, FIRST);
      expect(noted).toHaveLength(1);
      full.release();
      expect(pool.reservedCores).toBe(0);
    });

    it('stays where it was begun meanwhile', async () => {
      const { dispatcher, reported, pool, address } = await dispatcherOver([
        async function* () {
          yield queued;
          await runner.cancelled.reached;
          yield started;
          yield success;
        },
      ]);
      const handled = dispatcher.handle(job, never, FIRST);
      await runner.executed.atLeast(1);
      pool.update([record('one', address), record('two', address)]);
      await handled;
      expect(reported.items).toMatchObject([{ type: 'TaskStarted', runnerId: 'one' }, { type: 'TaskSucceeded' }]);
      expect(pool.reservedCores).toBe(0);
    });
  });

  it('says what it holds, with the memory of a retried attempt', async () => {
    const { dispatcher, reported } = await dispatcherOver([
      async function* () {
        yield finished({ exitCode: 1 });
      },
    ]);
    await dispatcher.handle({ ...job, ramFactor: 2 }, never, FIRST);
    expect(runner.specs[0]?.reserved).toEqual({ cores: 1, ramBytes: 512 * 1024 ** 2, diskBytes: 0, gpus: 0 });
    expect(reported.items).toMatchObject([{ type: 'TaskFailed', runnerId: 'one' }]);
  });

  it('is given up when its runner is not heard of any more', async () => {
    const { dispatcher, reported, pool } = await dispatcherOver([
      async function* () {
        yield started;
        await runner.gate.pass();
      },
    ]);
    const handled = dispatcher.handle(job, never, FIRST);
    await reported.atLeast(1);
    pool.update([]);
    await handled;
    expect(reported.items.at(-1)).toMatchObject({ type: 'TaskFailed', runnerId: 'one', retryable: true, failure: { code: 'UNAVAILABLE' } });
    runner.gate.open();
  });

  it('that is handed out again goes back to the runner that began it, or fails for another attempt', async () => {
    const { dispatcher, reported } = await dispatcherOver([], {
      ...nowhere,
      find: async () => ({ runnerId: 'gone', runtime: 'process' }),
    });
    await dispatcher.handle(job, never, { again: true });
    expect(reported.items).toMatchObject([
      { type: 'TaskFailed', retryable: true, failure: { code: 'RUNNER_LOST', message: 'runner gone, which had begun this task, is gone' } },
    ]);
  });

  it('that is answered already is done with', async () => {
    const { dispatcher, reported } = await dispatcherOver([], { ...nowhere, find: async () => 'answered' });
    await dispatcher.handle(job, never, { again: true });
    expect([reported.items, runner.specs]).toEqual([[], []]);
  });

  it.each([
    ['fails for another attempt', async () => undefined, [{ type: 'TaskFailed', retryable: true }]],
    [
      'says nothing where another dispatcher has answered',
      async (_: unknown, { again }: { again: boolean }) => (again ? 'answered' : undefined),
      [],
    ],
  ] as const)('whose attempt was released %s', async (_name, find, answers) => {
    const released = (): never => {
      throw new ServiceError('FAILED_PRECONDITION', 'attempt t-1.1 was released');
    };
    const { dispatcher, reported } = await dispatcherOver([released], { ...nowhere, find });
    await dispatcher.handle(job, never, FIRST);
    expect(reported.items).toMatchObject(answers);
  });

  it('waits for its plan while the store does not answer', async () => {
    const { dispatcher, reported } = await dispatcherOver([], undefined, () => Promise.reject(new Error('connection lost')));
    await expect(dispatcher.handle(job, never, FIRST)).rejects.toThrow('connection lost');
    expect([reported.items, dispatcher.activeTasks]).toEqual([[], 0]);
  });

  it('is left to others when the dispatcher closes', async () => {
    const closing = new AbortController();
    const { dispatcher, reported } = await dispatcherOver([
      async function* () {
        yield started;
        await runner.gate.pass();
      },
    ]);
    const handled = dispatcher.handle(job, closing.signal, FIRST);
    await reported.atLeast(1);
    closing.abort();
    await expect(handled).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(reported.items.map(({ type }) => type)).toEqual(['TaskStarted']);
    expect(runner.released.items).toEqual([]);
    runner.gate.open();
  });
});
