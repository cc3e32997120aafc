/** What the events of a task say of files that it may have changed in place: the engine decides by them (libs/engine, in-place.ts). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import type { EngineEvent } from '@weft/engine';
import { createEvaluator } from '@weft/expressions';
import type { CommandLineTool, Plan } from '@weft/plan';
import { createLogger } from '@weft/platform';
import { createTaskBuilder, type FileAccess } from '@weft/tasks';
import { aRunner, aTaskJob, Inbox } from '@weft/testing';
import { openReach } from '../../test/open-reach.js';
import { finished, type Scripted, ScriptedRunner, started } from '../../test/scripted-runner.js';
import { systemClock } from '../kernel/clock.js';
import { SecretBox } from '../secrets/secret-box.js';
import { Dispatcher } from './dispatcher.js';
import { PlanCache } from '../plans/plan-cache.js';
import { RunnerClients } from './runner/runner-clients.js';
import { RunnerPool } from '../placement/runner-pool.js';
import { TaskExecution } from './runner/task-execution.js';
import { TaskLogBuffer } from './log/task-log-buffer.js';

const tool: CommandLineTool = {
  class: 'CommandLineTool',
  id: 't',
  inputs: [{ name: 'f', type: 'File' }],
  outputs: [],
  baseCommand: ['update'],
  arguments: [],
  successCodes: [0],
  temporaryFailCodes: [75],
  permanentFailCodes: [],
  requirements: [
    { class: 'InplaceUpdateRequirement', inplaceUpdate: true },
    { class: 'InitialWorkDirRequirement', listing: [{ entry: '$(inputs.f)', writable: true }] },
  ],
  hints: [],
  declaredVersion: 'v1.2',
};
const plan: Plan = { planVersion: 1, cwlVersion: 'v1.2', root: 't', processes: { t: tool } };
const OWN = 'file:///data/runs/r-1/t-0.1/x';
const FILES: FileAccess = { stat: async () => ({ kind: 'file', size: 1, version: '' }), readText: async () => '', list: async () => [] };
const evaluator = createEvaluator();
const logger = createLogger('test', 'silent');
let folder: string;
let runner: ScriptedRunner;
let clients: RunnerClients;

/** @param attached the attempt was begun by a dispatcher that is gone */
async function eventsOf(script: Scripted, { location = OWN, attached = false } = {}): Promise<EngineEvent[]> {
  folder = await mkdtemp(join(tmpdir(), 'weft-in-place-'));
  runner = new ScriptedRunner([script]);
  const address = await runner.start(join(folder, 'r.sock'));
  const pool = new RunnerPool({ returnGraceMs: 0 });
  const runtimes = [{ name: 'process', version: '1', containers: false, unavailable: '' }];
  const capacity = { cores: 1, ramBytes: 2 ** 33, diskBytes: 2 ** 40, gpus: 0 };
  pool.update([{ ...aRunner({ runnerId: 'one', address, sandboxRoot: '/s', runtimes }), capacity, lastSeenMs: 0 }]);
  clients = new RunnerClients(undefined);
  const reported = new Inbox<EngineEvent>();
  const dispatcher = new Dispatcher({
    locator: { find: async () => (attached ? { runnerId: 'one', runtime: 'process' } : undefined), answered: async () => false },
    inputs: { whole: async (job) => job },
    plans: new PlanCache(async () => plan),
    builder: () => createTaskBuilder({ evaluator, files: FILES }),
    pool,
    execution: (at, spec) => new TaskExecution(clients.of(at), spec, logger),
    reporter: { report: async (_runId, event) => reported.push(event) },
    logs: new TaskLogBuffer({ append: async (_runId, chunks) => chunks.map(() => ['1']) }, logger),
    logger,
    clock: systemClock,
    dataUri: 'file:///data/',
    reach: openReach(FILES),
    secrets: new SecretBox(Buffer.alloc(32)),
  });
  const inputs = { f: { class: 'File', location, basename: 'x', size: 1 } };
  await dispatcher.handle(aTaskJob({ runId: 'r-1', processId: 't', inputs }), new AbortController().signal, { again: false });
  return reported.items;
}

afterEach(async () => {
  clients.close();
  await runner.stop();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => evaluator.close());

const ends = (end: Partial<executor.Finished>, begins = true): Scripted =>
  async function* () {
    if (begins) yield started;
    yield finished(end);
  };
const lost: Partial<executor.Finished> = {
  outcome: executor.Outcome.FAILED,
  failure: { code: 'DISK_FULL', message: 'no space', retryable: true },
};

it.each<[string, Partial<executor.Finished>, string]>([
  ['succeeded', { exitCode: 0, manifest: [] }, 'TaskSucceeded'],
  ['failed', { exitCode: 75 }, 'TaskFailed'],
  ['was stopped', { outcome: executor.Outcome.CANCELLED }, 'TaskCancelled'],
  ['could not be taken to its end', lost, 'TaskFailed'],
])('names them where the tool %s', async (_what, end, type) => {
  const events = await eventsOf(ends(end));
  expect(events).toMatchObject([
    { type: 'TaskStarted', inPlace: [OWN] },
    { type, inPlace: [OWN] },
  ]);
});

it('names none where the tool had not begun, or changes a copy', async () => {
  expect(await eventsOf(ends(lost, false))).toEqual([expect.not.objectContaining({ inPlace: expect.anything() })]);
  await runner.stop();
  const events = await eventsOf(ends({ exitCode: 0, manifest: [] }), { location: 'file:///data/runs/r-2/t-0.1/x' });
  for (const event of events) expect(event).not.toHaveProperty('inPlace');
});

it('names them of an attempt that was begun before, whatever its runner says now', async () => {
  const events = await eventsOf(ends(lost, false), { attached: true });
  expect(events.at(-1)).toMatchObject({ type: 'TaskFailed', inPlace: [OWN] });
});
