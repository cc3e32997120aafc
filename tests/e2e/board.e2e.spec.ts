/** What an operator looks at: the queue board, the API's page, metrics, health. */
import { Rest } from './rest.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

const TOOL = { cwlVersion: 'v1.2', class: 'CommandLineTool', baseCommand: ['echo', 'seen'], inputs: [], outputs: { out: 'stdout' } };

let stack: Stack;
let rest: Rest;
let runId: string;

beforeAll(async () => {
  stack = await Stack.start();
  rest = new Rest(stack.url);
  runId = String((await rest.post('/api/v1/runs', { cwl: TOOL })).body['run_id']);
  await rest.untilEnd(runId);
}, START_TIMEOUT_MS);
afterAll(() => stack.stop());

interface Board {
  queues: { name: string; counts: Record<string, number>; jobs: { id: string; name: string; data: { runId: string } }[] }[];
}

it('/queues shows the job of a task', async () => {
  expect(await rest.text('/queues')).toContain('<html');
  const { body } = await rest.get('/queues/api/queues?activeQueue=weft-tasks-default&status=completed');
  const { queues } = body as unknown as Board;
  expect(queues.map(({ name }) => name)).toEqual(['weft-tasks-default']);
  expect(queues[0]?.counts['completed']).toBe(1);
  expect(queues[0]?.jobs).toMatchObject([{ data: { runId } }]);
});

it('/docs is the page of an API that has the routes it names', async () => {
  expect(await rest.text('/docs')).toContain('swagger-ui');
  const { body } = await rest.get('/docs-json');
  const paths = Object.keys(body['paths'] as object);
  expect(paths).toEqual(expect.arrayContaining(['/api/v1/runs', '/streamflow/submit', '/al-engine/command']));
});

it('/metrics counts the run and its requests', async () => {
  const metrics = await rest.text('/metrics');
  expect(metrics).toMatch(/^weft_runs_submitted_total\{dialect="rest"\} 1$/m);
  expect(metrics).toMatch(/^weft_http_request_duration_seconds_count\{method="POST",route="\/api\/v1\/runs",status="201"\} 1$/m);
});

it('/healthz and /readyz say yes', async () => {
  expect(await rest.get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
  expect(await rest.get('/readyz')).toEqual({ status: 200, body: { ready: true, checks: { scheduler: 'ok', redis: 'ok' } } });
});
