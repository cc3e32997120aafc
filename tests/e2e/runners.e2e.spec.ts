/**
 * Two runners of one pool and one of another, on one host: capacities, draining, and what becomes of a task whose runner dies or falls silent.
 *
 * Invariants: a tool stands before a pipe until the test lets it go; nothing here waits for time.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, watch, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor, run } from '@weft/contracts';
import { callUnary, createClient } from '@weft/platform';
import { type RunningProgram, startProgram, startRedis, type TestRedis } from '@weft/testing';
import { Rest } from './rest.js';
import { Runs } from './runs-client.js';
import { ROOT, START_TIMEOUT_MS } from './stack.js';

const RUNNERS = {
  a: { WEFT_RUNNER_CORES: '1', WEFT_RUNNER_LABELS: 'rack=r1' },
  b: { WEFT_RUNNER_CORES: '2', WEFT_RUNNER_RAM_MIB: '4096' },
  c: { WEFT_RUNNER_CORES: '2', WEFT_RUNNER_POOL: 'other' },
};
type RunnerName = keyof typeof RUNNERS;

/** As many tools as there are words, each of one core; each says that it has begun, waits for a line, and says its word and the line. */
const WAITING = {
  cwlVersion: 'v1.2',
  class: 'Workflow',
  requirements: { ScatterFeatureRequirement: {} },
  inputs: { words: 'string[]', pipe: 'string' },
  outputs: { said: { type: 'File[]', outputSource: 'wait/said' } },
  steps: {
    wait: {
      scatter: 'word',
      in: { word: 'words', pipe: 'pipe' },
      out: ['said'],
      run: {
        class: 'CommandLineTool',
        requirements: { ResourceRequirement: { coresMin: 1 } },
        inputs: { word: 'string', pipe: 'string' },
        baseCommand: ['sh', '-c', 'echo begun >&2; read line < "$1"; echo "$0 $line"'],
        arguments: ['$(inputs.word)', '$(inputs.pipe)'],
        outputs: { said: 'stdout' },
      },
    },
  },
};

describe('runners', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-runners-'));
  const socket = (name: string): string => `unix:${join(folder, `${name}.sock`)}`;
  const programs = new Map<string, RunningProgram>();
  let redis: TestRedis;
  let runs: Runs;
  let rest: Rest;
  let pipe: { path: string; fd: number };
  let pipes = 0;

  async function service(name: string, program: string, env: Record<string, string>): Promise<RunningProgram> {
    const common = { WEFT_HOME: folder, WEFT_REDIS_URL: redis.url, WEFT_SCHEDULER_ADDRESS: socket('scheduler') };
    const started = await startProgram({
      command: process.execPath,
      args: [join(ROOT, 'dist', `${program}.mjs`)],
      env: { ...common, ...env },
    });
    programs.set(name, started);
    return started;
  }

  function startRunner(name: RunnerName): Promise<RunningProgram> {
    const own = { WEFT_RUNNER_ID: name, WEFT_RUNNER_LISTEN: socket(name), WEFT_SANDBOX_ROOT: sandboxesOf(name), WEFT_RUNTIMES: 'process' };
    return service(name, 'step-runner', { ...own, ...RUNNERS[name] });
  }

  const sandboxesOf = (name: RunnerName): string => join(folder, 'sandboxes', name);
  const sandboxes = (name: RunnerName): string[] => readdirSync(sandboxesOf(name)).filter((entry) => /-\d+$/.test(entry));

  /** Resolves once the runner keeps no sandbox; woken by the directory's own changes. */
  function noSandboxLeft(name: RunnerName): Promise<void> {
    return new Promise((done) => {
      const look = (): void => {
        if (sandboxes(name).length > 0) return;
        watcher.close();
        done();
      };
      const watcher = watch(sandboxesOf(name), look);
      look();
    });
  }

  beforeAll(async () => {
    const built = spawnSync(process.execPath, [join(ROOT, 'tools/build.mjs')], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    redis = await startRedis();
    // The grace outlasts the pause between two tries to connect (3 s at most): a runner that is back is reached within it.
    const soon = { WEFT_RUNNER_TTL_MS: '3000', WEFT_RUNNER_GRACE_MS: '6000' };
    await service('scheduler', 'scheduler', { ...soon, WEFT_SCHEDULER_LISTEN: socket('scheduler') });
    const [gateway] = await Promise.all([
      service('gateway', 'gateway', { WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '127.0.0.1:0' }),
      startRunner('a'),
      startRunner('b'),
      startRunner('c'),
    ]);
    rest = new Rest(`http://${String(gateway.ready['http'])}`);
    runs = new Runs(String(gateway.ready['grpc']));
    await allRegistered();
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    runs.close();
    for (const program of [...programs.values()].reverse()) expect(await program.stop()).toBe(0);
    await redis.stop();
    rmSync(folder, { recursive: true });
  }, START_TIMEOUT_MS);

  beforeEach(() => {
    const path = join(folder, `pipe-${++pipes}`);
    if (spawnSync('mkfifo', [path]).status !== 0) throw new Error(`mkfifo ${path} failed`);
    // Opened for both, so that lines stay until they are read.
    pipe = { path, fd: openSync(path, 'r+') };
  });
  afterEach(() => closeSync(pipe.fd));

  /** Nobody pushes that runners have registered: the question is asked until the answer is right. */
  async function allRegistered(): Promise<void> {
    for (;;) {
      const { body } = await rest.get('/api/v1/runners');
      if ((body['runners'] as unknown[]).length === 3) return;
    }
  }

  const letGo = (count: number): void => void writeSync(pipe.fd, 'go\n'.repeat(count));
  const submit = (words: string[], pool = ''): Promise<string> => runs.submit(WAITING, { words, pipe: pipe.path }, { pool });
  const drain = async (name: RunnerName, wish: 'drain' | 'undrain'): Promise<void> =>
    expect((await rest.post(`/api/v1/runners/${name}/${wish}`, '')).status).toBe(204);

  /** Resolves once so many tools have begun, counted over all attempts. */
  async function begun(runId: string, count: number): Promise<void> {
    let seen = 0;
    for await (const { text, stream } of runs.logs(runId)) {
      if (stream === run.LogStream.STDERR) seen += text.split('begun').length - 1;
      if (seen >= count) return;
    }
    throw new Error(`run ${runId} ended when ${seen} tools had begun`);
  }

  async function tasks(runId: string): Promise<{ runner_id: string; attempt: number; status: string }[]> {
    return (await rest.get(`/api/v1/runs/${runId}/tasks`)).body['tasks'] as never;
  }

  async function inUse(name: RunnerName): Promise<number | undefined> {
    const client = createClient(executor.ContainerExecutorClient, socket(name));
    const described = await callUnary(client, client.describe, {});
    client.close();
    return described.inUse?.cores;
  }

  async function succeeds(runId: string): Promise<void> {
    const { status, failure } = await runs.end(runId);
    expect([status, failure]).toEqual([run.RunStatus.SUCCEEDED, undefined]);
  }

  /** A run of one task, which has begun on `name`. */
  async function oneTaskOn(name: RunnerName, other: RunnerName): Promise<string> {
    await drain(other, 'drain');
    const runId = await submit(['one']);
    await begun(runId, 1);
    await drain(other, 'undrain');
    expect(sandboxes(name)).toHaveLength(1);
    return runId;
  }

  it('hold as much as they have, and what is too much waits', async () => {
    const runId = await submit(['1', '2', '3', '4', '5', '6']);
    await begun(runId, 3);
    expect([await inUse('a'), await inUse('b'), await inUse('c')]).toEqual([1, 2, 0]);
    letGo(6);
    await succeeds(runId);
    expect(new Set((await tasks(runId)).map(({ runner_id }) => runner_id))).toEqual(new Set(['a', 'b']));
  });

  it('take only tasks of their pool, and are shown with what they have', async () => {
    const runId = await submit(['1', '2'], 'other');
    letGo(2);
    await succeeds(runId);
    expect((await tasks(runId)).map(({ runner_id }) => runner_id)).toEqual(['c', 'c']);
    const { body } = await rest.get('/api/v1/runners?pool=default');
    expect(body['runners']).toMatchObject([
      { runner_id: 'a', pool: 'default', capacity: { cores: 1 }, labels: { rack: 'r1' }, draining: false },
      { runner_id: 'b', pool: 'default', capacity: { cores: 2, ram_bytes: 4 * 1024 ** 3 } },
    ]);
  });

  it('that are drained take no new tasks, and finish what they have', async () => {
    const first = await oneTaskOn('a', 'b');
    await drain('a', 'drain');
    const second = await submit(['1', '2']);
    await begun(second, 2);
    letGo(3);
    await Promise.all([succeeds(first), succeeds(second)]);
    expect((await tasks(first)).map(({ runner_id }) => runner_id)).toEqual(['a']);
    expect((await tasks(second)).map(({ runner_id }) => runner_id)).toEqual(['b', 'b']);
    await drain('a', 'undrain');
  });

  it('that die lose their task to another, and sweep its sandbox when they are back', async () => {
    const runId = await oneTaskOn('a', 'b');
    programs.get('a')?.signal('SIGKILL');
    await begun(runId, 2);
    letGo(1);
    await succeeds(runId);
    expect(await tasks(runId)).toMatchObject([{ runner_id: 'b', attempt: 2, status: 'succeeded' }]);
    await startRunner('a');
    await noSandboxLeft('a');
  });

  it('that fall silent lose their task to another; when they speak again, what they have done is not wanted', async () => {
    const runId = await oneTaskOn('a', 'b');
    programs.get('a')?.signal('SIGSTOP');
    await begun(runId, 2);
    // Both attempts get their line: the tool of the silent runner ends, too, and its result stays there.
    letGo(2);
    await succeeds(runId);
    programs.get('a')?.signal('SIGCONT');
    await noSandboxLeft('a');
    expect(await tasks(runId)).toMatchObject([{ runner_id: 'b', attempt: 2, status: 'succeeded' }]);
    const next = await submit(['1', '2', '3']);
    await begun(next, 3);
    letGo(3);
    await succeeds(next);
  });
});
