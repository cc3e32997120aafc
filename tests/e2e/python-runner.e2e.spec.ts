/**
 * A stack whose only runner is the example in Python runs a workflow: registered with heartbeats, or named by a static registry.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '@weft/contracts';
import { type RunningProgram, pythonRunnerUnavailable, startProgram, startPythonRunner, startRedis, type TestRedis } from '@weft/testing';
import { Runs } from './runs-client.js';
import { ROOT, START_TIMEOUT_MS } from './stack.js';

const unavailable = pythonRunnerUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED the stack with the runner in Python: it ${unavailable}\n`);
const describeWithPython = unavailable === undefined ? describe : describe.skip;

/** Each word into a file of its own, in capitals; then all of them into one. */
const WORKFLOW = {
  cwlVersion: 'v1.2',
  class: 'Workflow',
  requirements: { ScatterFeatureRequirement: {} },
  inputs: { words: 'string[]' },
  outputs: { all: { type: 'File', outputSource: 'join/all' }, each: { type: 'File[]', outputSource: 'capitals/file' } },
  steps: {
    write: {
      scatter: 'word',
      in: { word: 'words' },
      out: ['file'],
      run: {
        class: 'CommandLineTool',
        baseCommand: 'echo',
        inputs: { word: { type: 'string', inputBinding: {} } },
        outputs: { file: 'stdout' },
      },
    },
    capitals: {
      scatter: 'word',
      in: { word: 'write/file' },
      out: ['file'],
      run: {
        class: 'CommandLineTool',
        baseCommand: ['tr', 'a-z', 'A-Z'],
        inputs: { word: 'File' },
        stdin: '$(inputs.word.path)',
        outputs: { file: 'stdout' },
      },
    },
    join: {
      in: { words: 'capitals/file' },
      out: ['all'],
      run: {
        class: 'CommandLineTool',
        baseCommand: 'cat',
        inputs: { words: { type: 'File[]', inputBinding: {} } },
        stdout: 'all.txt',
        outputs: { all: 'stdout' },
      },
    },
  },
};

describeWithPython.each(['registers with heartbeats', 'is named by a static registry'])('the only runner is in Python and %s', (how) => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-python-'));
  const programs: RunningProgram[] = [];
  let redis: TestRedis;
  let runs: Runs;

  const service = async (name: string, env: Record<string, string>): Promise<RunningProgram> => {
    const program = await startProgram({ command: process.execPath, args: [join(ROOT, 'dist', `${name}.mjs`)], env });
    programs.push(program);
    return program;
  };

  beforeAll(async () => {
    const built = spawnSync(process.execPath, [join(ROOT, 'tools/build.mjs')], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    redis = await startRedis();
    const [runner, scheduler, registry] = ['runner.sock', 'scheduler.sock', 'registry.yaml'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const env = { WEFT_HOME: folder, WEFT_REDIS_URL: redis.url, WEFT_SERVICE_SECRET: 'sixteen-characters' };
    const sandboxRoot = join(folder, 'sandboxes');
    const fixed = how.includes('static');
    const entry = `{ address: 'unix:${runner}', runtimes: [{ name: process, containers: false }], capacity: { cores: 2, ramBytes: 4e9, diskBytes: 4e9 }, sandboxRoot: '${sandboxRoot}', attemptSeparator: '-' }`;
    writeFileSync(registry, `service_registry: { py: ${entry} }`);
    await service('scheduler', {
      ...env,
      WEFT_SCHEDULER_LISTEN: `unix:${scheduler}`,
      ...(fixed ? { WEFT_SERVICE_REGISTRY: registry } : {}),
    });
    const registering: Record<string, string> = fixed ? {} : { WEFT_SCHEDULER_ADDRESS: `unix:${scheduler}` };
    const own = { ...env, ...registering, WEFT_RUNNER_ID: 'py', WEFT_RUNNER_LISTEN: `unix:${runner}`, WEFT_SANDBOX_ROOT: sandboxRoot };
    programs.push(await startPythonRunner(own));
    const listen = { WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '127.0.0.1:0', WEFT_SCHEDULER_ADDRESS: `unix:${scheduler}` };
    const gateway = await service('gateway', { ...env, ...listen });
    runs = new Runs(String(gateway.ready['grpc']));
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    runs.close();
    for (const program of programs.reverse()) expect(await program.stop()).toBe(0);
    await redis.stop();
    rmSync(folder, { recursive: true });
  }, START_TIMEOUT_MS);

  it(
    'runs a workflow with scatter',
    async () => {
      const { status, failure, outputsJson } = await runs.end(await runs.submit(WORKFLOW, { words: ['one', 'two', 'three'] }));
      expect([status, failure]).toEqual([run.RunStatus.SUCCEEDED, undefined]);
      const outputs = JSON.parse(outputsJson) as { all: { location: string; checksum: string }; each: { size: number }[] };
      expect(readFileSync(fileURLToPath(outputs.all.location), 'utf8')).toBe('ONE\nTWO\nTHREE\n');
      expect(outputs.all.checksum).toBe('sha1$a0b9a72c72eaca27cb4bfec30c478eea5b811d15');
      expect(outputs.each.map(({ size }) => size)).toEqual([4, 4, 6]);
    },
    START_TIMEOUT_MS,
  );
});
