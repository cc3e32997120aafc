/** Submissions that are refused before anything of them is stored, whoever reads them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scheduler } from '@weft/contracts';
import { createFakeRunStore, FakeRunStoreData } from '@weft/testing';
import { Backlog } from '../intake/backlog.js';
import { Submissions } from '../intake/submission.js';
import { LoadingPool } from './loading-pool.js';
import { locateLoader } from './locate-loader.js';
import { openReach } from '../../test/open-reach.js';
import { SecretBox } from '../secrets/secret-box.js';
import { RunMemory } from '../runs/memory/run-memory.js';

const ROOT = 'inline:///main.cwl';
const never = (): Promise<never> => Promise.reject(new Error('not asked here'));
const loading = new LoadingPool({ threads: 1, cpuMs: 600_000, heapMb: 512, waiting: 4, waitingInAll: 8, locate: locateLoader });
afterAll(() => loading.close());

function aService() {
  const data = new FakeRunStoreData();
  const { intake } = createFakeRunStore(data);
  const limits = { maxRuns: 10, of: () => ({ maxTasks: Infinity, maxRuns: Infinity, weight: 1 }) };
  const submissions = new Submissions({
    plans: { remember: () => undefined },
    memory: new RunMemory(Infinity),
    isOwn: () => true,
    intake,
    loading,
    secrets: new SecretBox(Buffer.alloc(32)),
    reach: openReach({ stat: never, readText: never, list: never }),
    evaluator: { evaluate: never, drop: () => undefined, warmUp: never, close: never },
    pools: () => ['default'],
    pin: async () => undefined,
    maxAttempts: 3,
    takesCaller: false,
    callCache: 'asked',
    backlog: new Backlog({ limits, count: (project) => intake.activeRuns(project), nowMs: () => 0 }),
  });
  const submit = (text: string, inputs: object, more: Partial<scheduler.SubmitRunRequest> = {}) =>
    submissions.submit(
      scheduler.SubmitRunRequest.fromPartial({
        document: { rootUri: ROOT, files: { [ROOT]: text } },
        inputsJson: JSON.stringify(inputs),
        ...more,
      }),
    );
  return { data, submit };
}

const scatter = (padding = ''): string =>
  JSON.stringify({
    cwlVersion: 'v1.2',
    class: 'Workflow',
    doc: padding,
    requirements: { ScatterFeatureRequirement: {} },
    inputs: { a: 'int[]', b: 'int[]', c: 'int[]' },
    outputs: [],
    steps: {
      s: {
        run: { class: 'CommandLineTool', baseCommand: 'echo', inputs: { a: 'int', b: 'int', c: 'int' }, outputs: [] },
        in: { a: 'a', b: 'b', c: 'c' },
        out: [],
        scatter: ['a', 'b', 'c'],
        scatterMethod: 'flat_crossproduct',
      },
    },
  });
const arrays = (length: number) => {
  const one = new Array<number>(length).fill(1);
  return { a: one, b: one, c: one };
};

test.each([
  ['read here', ''],
  ['read by a thread', ' '.repeat(20_000)],
])('a product that is too large is refused with its sentence: %s', async (_, padding) => {
  const { data, submit } = aService();
  await expect(submit(scatter(padding), arrays(800))).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/^step 's' scatters into 512000000 tasks \(800 × 800 × 800\); 1000000 are allowed/),
  });
  expect(data.runs.size).toBe(0);
  await submit(scatter(padding), arrays(2));
  expect(data.runs.size).toBe(1);
});

test('a key finds its run also where what was asked for is compared by a thread', async () => {
  const { submit } = aService();
  const text = scatter(' '.repeat(20_000));
  const first = await submit(text, arrays(2), { idempotencyKey: 'k' });
  expect(await submit(text, arrays(2), { idempotencyKey: 'k' })).toMatchObject({ runId: first.runId, existing: true });
  await expect(submit(text, arrays(3), { idempotencyKey: 'k' })).rejects.toThrow();
});

test.each<[string, object, string]>([
  ['a name', { name: 'n'.repeat(201) }, 'name has 201 characters; 200 are allowed'],
  ['a project', { projectId: 'n'.repeat(201) }, 'project_id has 201 characters; 200 are allowed'],
  ['a pool', { pool: 'n'.repeat(101) }, 'pool has 101 characters; 100 are allowed'],
  ['a key', { idempotencyKey: 'n'.repeat(201) }, 'idempotency_key has 201 characters; 200 are allowed'],
  ['labels', { labels: { a: 'x'.repeat(65_535), b: '' } }, 'the labels have 65537 characters together; 65536 are allowed'],
])('%s that lists would carry is short', async (_what, more, message) => {
  const { submit, data } = aService();
  await expect(submit(scatter(), arrays(2), more)).rejects.toThrow(message);
  expect(data.runs.size).toBe(0);
});

test('a document whose label is long has a short name', async () => {
  const { submit, data } = aService();
  const { runId } = await submit(scatter().replace('{', `{"label":"${'l'.repeat(5_000)}",`), arrays(2));
  expect(data.runs.get(runId)?.header.name).toBe(`${'l'.repeat(199)}…`);
});

test('more labels than anybody reads are refused', async () => {
  const { submit } = aService();
  const labels = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`l${i}`, '']));
  await expect(submit(scatter(), arrays(2), { labels })).rejects.toThrow('the run has 1001 labels; 1000 are allowed');
});

describe('what a document names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-named-'));
  const canary = join(folder, 'canary');
  const uri = pathToFileURL(canary).href;
  writeFileSync(canary, 'cwlVersion: v1.2\nclass: ExpressionTool\ndoc: canary\ninputs: []\noutputs: []\nexpression: canary\n');
  afterAll(() => rmSync(folder, { recursive: true }));
  const tool = { cwlVersion: 'v1.2', class: 'CommandLineTool', inputs: {}, outputs: [], baseCommand: 'echo' };
  const javascript = (from: object): object => ({
    ...tool,
    requirements: { InlineJavascriptRequirement: { expressionLib: [from] } },
    arguments: ['$(x)'],
  });

  it.each<[string, object]>([
    ['run:', { cwlVersion: 'v1.2', class: 'Workflow', inputs: {}, outputs: [], steps: { s: { run: uri, in: {}, out: [] } } }],
    [
      'run: by its path',
      { cwlVersion: 'v1.2', class: 'Workflow', inputs: {}, outputs: [], steps: { s: { run: canary, in: {}, out: [] } } },
    ],
    ['$include', javascript({ $include: uri })],
    ['$include by its path', javascript({ $include: canary })],
    ['$include of the root', { ...tool, doc: { $include: '../../../../..' + canary } }],
    ['$import', { ...tool, inputs: [{ $import: uri }] }],
    ['$import of a type', { ...tool, requirements: [{ class: 'SchemaDefRequirement', types: [{ $import: uri }] }] }],
  ])('is read from what was sent with it, and from nowhere on this host: %s', async (_what, document) => {
    const { data, submit } = aService();
    const answer = await submit(JSON.stringify(document), {}).catch((error: unknown) => error as Error);
    expect((answer as Error).message).toMatch(/is not in the bundle that was sent/);
    expect((answer as Error).message).not.toMatch(/doc: canary|ExpressionTool/);
    expect(data.runs.size).toBe(0);
  });

  it('is not read for $schemas either', async () => {
    const { data, submit } = aService();
    const answer = await submit(JSON.stringify({ ...tool, $schemas: [uri] }), {}).catch((error: unknown) => error);
    expect(JSON.stringify([answer, [...data.runs.values()], (answer as Error).message])).not.toMatch(/doc: canary|ExpressionTool/);
  });
});
