/** The pages for people, from the bundled program as it is started, before a real Redis: /docs, /docs-json, /queues. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBullTaskQueue, type TaskJob } from '@weft/queue';
import { redisConnection } from '@weft/platform';
import { FakeScheduler } from './fake-scheduler.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The first line of a process's output that starts with `word`; fails when the process ends before. */
function lineOf(child: ChildProcess, word: string): Promise<string> {
  return new Promise((found, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${code} before '${word}'`)));
    createInterface({ input: child.stdout! }).on('line', (line) => line.includes(word) && found(line));
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((done) => (child.exitCode !== null ? done(child.exitCode) : child.once('exit', (code) => done(code))));
}

describe('the bundled gateway', () => {
  let folder: string;
  let redis: ChildProcess;
  let gateway: ChildProcess;
  let url: string;
  const scheduler = new FakeScheduler();

  beforeAll(async () => {
    const build = spawn(process.execPath, [join(root, 'tools/build.mjs'), 'gateway'], { stdio: 'inherit' });
    expect(await ended(build)).toBe(0);
    folder = await mkdtemp(join(tmpdir(), 'weft-pages-'));
    const socket = join(folder, 'redis.sock');
    redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await lineOf(redis, 'eady to accept connections');
    const job: TaskJob = {
      runId: 'r-1',
      taskId: 't-1',
      attempt: 1,
      step: 'align',
      index: '',
      pool: 'default',
      planHash: 'ab',
      processId: 'p',
      inputs: {},
      inherited: { requirements: [], hints: [] },
      options: { noContainer: false },
      priority: 0,
    };
    const queue = createBullTaskQueue({ connection: redisConnection(`unix:${socket}`) });
    await queue.add([job]);
    await queue.close();
    gateway = spawn(process.execPath, [join(root, 'dist/gateway.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        WEFT_HTTP_LISTEN: '127.0.0.1:0',
        WEFT_GRPC_LISTEN: '127.0.0.1:0',
        WEFT_REDIS_URL: `unix:${socket}`,
        WEFT_SCHEDULER_ADDRESS: await scheduler.start(),
        WEFT_LOG_LEVEL: 'warn',
      },
    });
    const ready = JSON.parse((await lineOf(gateway, 'ready ')).slice('ready '.length)) as { http: string };
    url = `http://${ready.http}`;
  });

  afterAll(async () => {
    gateway?.kill('SIGKILL');
    redis?.kill('SIGTERM');
    await scheduler.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is ready, and /tree says so', async () => {
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ready: true, checks: { scheduler: 'ok', redis: 'ok' } });
    const page = await fetch(`${url}/tree`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('weft is ready')]);
  });

  it('describes every route, with schemas and the errors it gives', async () => {
    const page = await fetch(`${url}/docs`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('swagger-ui')]);
    const document = (await (await fetch(`${url}/docs-json`)).json()) as { paths: Record<string, Record<string, Record<string, object>>> };
    expect(Object.keys(document.paths).sort()).toEqual([
      '/al-engine/command',
      '/al-engine/session-stats/{project}',
      '/al-engine/sessions',
      '/al-engine/sessions/{project}',
      '/al-engine/sessions/{project}/{session}',
      '/api/v1/runners',
      '/api/v1/runners/{id}/drain',
      '/api/v1/runners/{id}/undrain',
      '/api/v1/runs',
      '/api/v1/runs/{id}',
      '/api/v1/runs/{id}/cancel',
      '/api/v1/runs/{id}/events',
      '/api/v1/runs/{id}/inputs',
      '/api/v1/runs/{id}/logs',
      '/api/v1/runs/{id}/outputs',
      '/api/v1/runs/{id}/retry',
      '/api/v1/runs/{id}/tasks',
      '/api/v1/runs/{id}/tasks/{task}/log',
      '/api/v1/runs/{id}/tasks/{task}/outputs',
      '/dal/templates',
      '/healthz',
      '/metrics',
      '/readyz',
      '/streamflow/projects/{id}/workflows',
      '/streamflow/status/{id}',
      '/streamflow/submit',
      '/streamflow/submit-project-workflow',
      '/streamflow/workflows',
      '/tree',
    ]);
    for (const methods of Object.values(document.paths)) {
      for (const route of Object.values(methods)) {
        expect(route).toMatchObject({
          summary: expect.any(String),
          responses: { 401: { content: { 'application/json': expect.anything() } } },
        });
      }
    }
    const submit = document.paths['/api/v1/runs']?.['post'] as {
      requestBody: { content: Record<string, { schema: { properties: object } }> };
    };
    expect(submit.requestBody.content['application/json']?.schema.properties).toMatchObject({ cwl: { example: expect.any(String) } });
  });

  it('shows the jobs of every pool and changes none', async () => {
    expect((await fetch(`${url}/queues`)).status).toBe(200);
    const { queues } = (await (await fetch(`${url}/queues/api/queues`)).json()) as {
      queues: { name: string; counts: { waiting: number } }[];
    };
    expect(queues).toMatchObject([{ name: 'weft-tasks-default', readOnlyMode: true, counts: { waiting: 1 } }]);
    expect((await fetch(`${url}/queues/api/queues/weft-tasks-default/empty`, { method: 'PUT' })).status).toBe(405);
  });

  it('ends with 0 on SIGTERM', async () => {
    gateway.kill('SIGTERM');
    expect(await ended(gateway)).toBe(0);
  });
});
