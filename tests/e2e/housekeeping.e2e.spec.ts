/** What the home takes is shown, and freed by the run: what other runs have of it stays whole. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

/** Generous: it only keeps a test from hanging. */
const LIMIT_MS = 120_000;
const MIB = 1024 ** 2;
const tool = {
  ...{ cwlVersion: 'v1.2', class: 'CommandLineTool', inputs: { n: 'int' } },
  baseCommand: ['sh', '-c', 'head -c 4194304 /dev/zero | tr "\\0" "$0" > out.bin; echo said >&2'],
  // Every number has a result of its own: one that is on no command line would be the same call.
  arguments: ['$(inputs.n)'],
  outputs: { out: { type: 'File', outputBinding: { glob: 'out.bin' } } },
};
const reader = {
  ...{ cwlVersion: 'v1.2', class: 'CommandLineTool', inputs: { f: { type: 'File', inputBinding: {} }, gate: 'string' } },
  baseCommand: ['sh', '-c', 'read line < "$1"; wc -c < "$0"'],
  arguments: [{ valueFrom: '$(inputs.gate)', position: 9 }],
  stdout: 'count',
  outputs: { out: 'stdout' },
};

let stack: Stack;
let runs: Runs;
beforeAll(async () => {
  stack = await Stack.start();
  runs = new Runs(stack.grpc);
}, START_TIMEOUT_MS);
afterAll(async () => {
  runs.close();
  await stack.stop();
}, START_TIMEOUT_MS);

async function finished(inputs: object): Promise<{ runId: string; path: string; uri: string }> {
  const runId = await runs.submit(tool, inputs, { cache: true });
  const ended = await runs.end(runId);
  const { out } = JSON.parse(ended.outputsJson) as { out: { location: string } };
  return { runId, path: fileURLToPath(out.location), uri: out.location };
}
const taken = async (name: string): Promise<number> => {
  const { stdout } = await stack.weft(['du', '--json']);
  return (JSON.parse(stdout) as { parts: { name: string; bytes: number }[] }).parts.find((part) => part.name === name)?.bytes ?? 0;
};

it(
  'rm takes a run, and of files that another has by the call cache that other keeps its name',
  async () => {
    const first = await finished({ n: 1 });
    const second = await finished({ n: 1 });
    expect(first.runId).not.toBe(second.runId);
    // The second came from the call cache: one file on disk.
    expect(statSync(second.path).ino).toBe(statSync(first.path).ino);
    expect(await taken('results')).toBeLessThan(6 * MIB);
    expect((await stack.weft(['du'])).stdout).toMatch(/MiB +\d+ +results/);

    expect(await stack.weft(['rm', 'r-'])).toMatchObject({ code: 1, stderr: expect.stringContaining('may be any of 2 runs') });
    expect(await stack.weft(['rm', first.runId])).toMatchObject({ code: 0, stdout: `${first.runId} removed\n` });
    expect([existsSync(first.path), readFileSync(second.path).length]).toEqual([false, 4 * MIB]);
    expect(await stack.weft(['rm', first.runId])).toMatchObject({ code: 1, stderr: expect.stringContaining(`no run ${first.runId}`) });
    expect(await taken('results')).toBeGreaterThan(4 * MIB);
    expect(await stack.weft(['rm', '@latest'])).toMatchObject({ code: 0, stdout: `${second.runId} removed\n` });
    expect(await taken('results')).toBeLessThan(MIB);
  },
  LIMIT_MS,
);

it(
  'refuses a run that goes on, and one that it reads from',
  async () => {
    const source = await finished({ n: 2 });
    const gate = stack.fifo('gate');
    const inputs = { f: { class: 'File', location: source.uri }, gate: gate.path };
    const active = await runs.submit(reader, inputs);
    expect(await stack.weft(['rm', active, source.runId])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/cancel it first.*\n.*needed by run .*which reads what it published/s),
    });
    expect(existsSync(source.path)).toBe(true);
    gate.open();
    await runs.end(active);
    expect(await stack.weft(['rm', active, source.runId])).toMatchObject({ code: 0 });
  },
  LIMIT_MS,
);

it(
  'prune shows what would go, takes what meets the conditions, whole logs alone, and what the cache keeps',
  async () => {
    const all = [];
    for (const n of [3, 4, 5]) all.push(await finished({ n }));
    expect(await stack.weft(['prune'])).toMatchObject({ code: 1, stderr: expect.stringContaining('say what is to go') });
    expect(await stack.weft(['prune', '--state', 'running'])).toMatchObject({ code: 1 });
    const dry = await stack.weft(['prune', '--keep', '1', '--dry-run']);
    expect(dry.stdout).toContain('would go: 2 runs');
    expect(dry.stdout).toContain(all[0]?.runId);
    expect(all.every(({ path }) => existsSync(path))).toBe(true);

    const logs = (runId = ''): string => join(dirname(stack.sandboxes), 'data', 'runs', runId, 'logs');
    expect(existsSync(logs(all[2]?.runId))).toBe(true);
    expect((await stack.weft(['prune', '--logs', '--keep', '0'])).stdout).toBe('removed: the whole logs of 3 runs\n');
    expect(existsSync(logs(all[2]?.runId))).toBe(false);
    expect((await stack.weft(['logs', all[2]?.runId ?? ''])).stdout).toContain('said');

    expect((await stack.weft(['prune', '--older-than', '1d'])).stdout).toContain('removed: 0 runs');
    expect((await stack.weft(['prune', '--size', '6M'])).stdout).toMatch(/^removed: 2 runs, 8\.\d MiB at most\n$/);
    expect(all.map(({ path }) => existsSync(path))).toEqual([false, false, true]);
    expect((await stack.weft(['prune', '--larger-than', '1M', '--state', 'succeeded', '--cache'])).stdout).toMatch(
      /^removed: 1 run, .*\nremoved from the call cache: 0 results, 0 B\n$/,
    );
    expect(await stack.weft(['show', all[0]?.runId ?? ''])).toMatchObject({ code: 1, stderr: expect.stringContaining('no run') });
  },
  LIMIT_MS,
);
