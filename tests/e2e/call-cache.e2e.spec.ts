/**
 * Results of earlier tasks are used again: what changes a result causes execution, nothing else does.
 *
 * Invariants: each execution of the tool says something that no other says, so that whether it was executed shows in its output, whatever the
 * service tells.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '@weft/contracts';
import { describeWithDocker } from './docker.js';
import { Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

type Json = Record<string, unknown>;

/** Says what is in its input and its environment, and something new each time. */
function tool(requirements: Json, more: Json = {}): Json {
  return {
    cwlVersion: 'v1.2',
    class: 'CommandLineTool',
    id: 'original',
    label: 'a label',
    requirements: { EnvVarRequirement: { envDef: { WORD: '$(inputs.word)' } }, ...requirements },
    inputs: { text: 'File', word: { type: 'string', default: 'hello' }, unused: 'string?' },
    baseCommand: ['sh', '-c', 'cat "$0"; echo "$WORD"; cat /proc/sys/kernel/random/uuid'],
    arguments: ['$(inputs.text.path)'],
    stdout: 'said.txt',
    outputs: { said: { type: 'stdout', doc: 'what it said' } },
    ...more,
  };
}

const asStep = (step: Json): Json => ({
  cwlVersion: 'v1.2',
  class: 'Workflow',
  inputs: { given: 'File' },
  outputs: { out: { type: 'File', outputSource: 'renamed/said' } },
  steps: { renamed: { run: step, in: { text: 'given' }, out: ['said'] } },
});

const asScatter = (step: Json): Json => ({
  cwlVersion: 'v1.2',
  class: 'Workflow',
  requirements: { ScatterFeatureRequirement: {} },
  inputs: { given: 'File[]' },
  outputs: { out: { type: 'File[]', outputSource: 'each/said' } },
  steps: { each: { run: step, scatter: 'text', in: { text: 'given' }, out: ['said'] } },
});

interface Outcome {
  /** Where the file lies that the run gave. */
  path: string;
  text: string;
  cached: boolean[];
}

let stack: Stack;
let runs: Runs;
beforeAll(async () => {
  stack = await Stack.start();
  runs = new Runs(stack.grpc);
}, START_TIMEOUT_MS);
afterAll(async () => {
  runs.close();
  await stack.stop();
});

/** A file of that content in a directory of its own. */
function input(content: string): string {
  const path = join(mkdtempSync(join(stack.scratch, 'input-')), 'text.txt');
  writeFileSync(path, content);
  return path;
}

const file = (path: string): Json => ({ class: 'File', location: `file://${path}` });

async function outcomes(document: Json, inputs: Json, more: object = { cache: true }): Promise<Outcome[]> {
  const runId = await runs.submit(document, inputs, more);
  const cached = new Map<string, boolean>();
  let end: run.RunStatusChanged | undefined;
  for await (const { event } of runs.watch(runId)) {
    if (event?.$case === 'taskStatus' && event.value.task?.status === run.TaskStatus.SUCCEEDED)
      cached.set(event.value.task.taskId, event.value.task.cached);
    if (event?.$case === 'runStatus') end = event.value;
  }
  expect([end?.status, end?.failure]).toEqual([run.RunStatus.SUCCEEDED, undefined]);
  const [given] = Object.values(JSON.parse(end?.outputsJson ?? '{}') as Record<string, { location: string } | { location: string }[]>);
  return [given ?? []].flat().map(({ location }) => {
    const path = fileURLToPath(location);
    expect(path).toContain(`/runs/${runId}/`);
    return { path, text: readFileSync(path, 'utf8'), cached: [...cached.values()] };
  });
}

async function outcome(document: Json, inputs: Json, more: object = { cache: true }): Promise<Outcome> {
  const [one] = await outcomes(document, inputs, more);
  if (one === undefined) throw new Error('a run without an output');
  return one;
}

function decides(requirements: () => Json, another?: () => void): void {
  const fresh = (): Json => tool(requirements());
  const again = (first: Outcome, second: Outcome): void => {
    expect([second.text, second.cached]).toEqual([first.text, [true]]);
    expect(second.path).not.toBe(first.path);
  };
  const anew = (first: Outcome, second: Outcome): void => {
    expect(second.cached).toEqual([false]);
    expect(second.text).not.toBe(first.text);
  };

  it('nothing but what decides the result causes execution', async () => {
    const text = input('the same\n');
    const first = await outcome(fresh(), { text: file(text), unused: 'a' });
    expect(first.cached).toEqual([false]);
    const second = await outcome(fresh(), { text: file(text), unused: 'a' });
    again(first, second);
    // The bytes are not there twice.
    expect(statSync(second.path).ino).toBe(statSync(first.path).ino);
    again(first, await outcome(fresh(), { unused: 'another', text: file(text) }));
    const { label: _label, outputs: _outputs, ...rest } = fresh();
    const inputs = Object.fromEntries(Object.entries(rest['inputs'] as Json).reverse());
    const renamed = { ...rest, inputs, id: 'renamed', doc: 'words', label: 'others', outputs: { said: { type: 'stdout', label: 'x' } } };
    again(first, await outcome(renamed, { text: file(text) }));
    again(first, await outcome(asStep(fresh()), { given: file(text) }));
    again(first, await outcome(fresh(), { text: file(input('the same\n')) }));
    utimesSync(text, 1, 1);
    again(first, await outcome(fresh(), { text: file(text), word: 'hello' }));
    const copied = await outcome(fresh(), { text: { ...file(text), checksum: 'sha1$0000000000000000000000000000000000000000' } });
    again(first, copied);
  });

  it('a changed byte, a changed variable and --no-cache do', async () => {
    const text = input('one\n');
    const first = await outcome(fresh(), { text: file(text) });
    // A result is kept a moment after its run has ended, unless its inputs have changed by then. Whoever was given it knows that it is.
    again(first, await outcome(fresh(), { text: file(text) }));
    writeFileSync(text, 'One\n');
    const changed = await outcome(fresh(), { text: file(text) });
    anew(first, changed);
    again(changed, await outcome(fresh(), { text: file(text) }));
    writeFileSync(text, 'one\n');
    again(first, await outcome(fresh(), { text: file(text) }));
    anew(first, await outcome(fresh(), { text: file(text), word: 'bye' }));
    anew(first, await outcome(tool({ ...requirements(), WorkReuse: { enableReuse: false } }), { text: file(text) }));
    anew(first, await outcome(fresh(), { text: file(text) }, { cache: true, projectId: 'another' }));
    const refreshed = await outcome(fresh(), { text: file(text) }, { noCache: true });
    anew(first, refreshed);
    again(refreshed, await outcome(fresh(), { text: file(text) }));
  });

  it('another file of the same size does, whatever times it was given, and an edit that is dated back', async () => {
    const text = input('one\n');
    utimesSync(text, 1, 1);
    const first = await outcome(fresh(), { text: file(text) });
    const other = input('two\n');
    utimesSync(other, 1, 1);
    expect(spawnSync('cp', ['-p', other, text]).status).toBe(0);
    const second = await outcome(fresh(), { text: file(text) });
    anew(first, second);
    expect(second.text).toMatch(/^two\n/);
    writeFileSync(text, 'six\n');
    utimesSync(text, 1, 1);
    expect((await outcome(fresh(), { text: file(text) })).text).toMatch(/^six\n/);
  });

  it('nobody gets a result of another who did not ask for it, in one scatter or later', async () => {
    const text = input('not asked\n');
    const scattered = await outcomes(asScatter(fresh()), { given: [1, 2, 3].map(() => file(text)) }, {});
    expect(new Set(scattered.map((one) => one.text)).size).toBe(3);
    // Nothing was kept, either.
    const [first] = scattered;
    const asked = await outcome(fresh(), { text: file(text) });
    if (first !== undefined) anew(first, asked);
    expect((await outcome(fresh(), { text: file(text) }, {})).cached).toEqual([false]);
  });

  it('a stored file that is gone or was changed does', async () => {
    const text = input('stored\n');
    const first = await outcome(fresh(), { text: file(text) });
    rmSync(first.path);
    const second = await outcome(fresh(), { text: file(text) });
    anew(first, second);
    again(second, await outcome(fresh(), { text: file(text) }));
    writeFileSync(second.path, second.text.toUpperCase());
    const third = await outcome(fresh(), { text: file(text) });
    anew(second, third);
    utimesSync(third.path, 1, 1);
    again(third, await outcome(fresh(), { text: file(text) }));
  });

  it('identical tasks execute once, in one scatter and in two runs at once', async () => {
    const text = input('identical\n');
    const scattered = await outcomes(asScatter(fresh()), { given: [1, 2, 3, 4].map(() => file(text)) });
    expect(new Set(scattered.map((one) => one.text)).size).toBe(1);
    expect(scattered[0]?.cached.filter((cached) => !cached)).toEqual([false]);
    const other = input('two runs\n');
    const both = await Promise.all([1, 2].map(() => outcome(fresh(), { text: file(other) })));
    expect(both.map((one) => one.cached[0]).sort()).toEqual([false, true]);
    expect(both[0]?.text).toBe(both[1]?.text);
  });

  if (another !== undefined) {
    it('a changed image of the same name does', async () => {
      const text = input('image\n');
      const first = await outcome(fresh(), { text: file(text) });
      another();
      const second = await outcome(fresh(), { text: file(text) });
      anew(first, second);
      again(second, await outcome(fresh(), { text: file(text) }));
    });
  }
}

describe('on the host', () => {
  decides(() => ({}));

  it('a changed program, or a changed file that the command line names, causes execution', async () => {
    const directory = mkdtempSync(join(stack.scratch, 'bin-'));
    const [script, data] = [join(directory, 'say.sh'), join(directory, 'data.txt')];
    const say = (word: string): void =>
      writeFileSync(script, `#!/bin/sh\necho ${word}; cat "$1" /proc/sys/kernel/random/uuid\n`, { mode: 0o755 });
    const scripted = { ...tool({}), baseCommand: [script], arguments: [data] };
    const text = file(input('script\n'));
    say('one');
    writeFileSync(data, 'data\n');
    const first = await outcome(scripted, { text });
    expect((await outcome(scripted, { text })).text).toBe(first.text);
    say('two');
    const second = await outcome(scripted, { text });
    expect(second.text).toMatch(/^two\ndata\n/);
    writeFileSync(data, 'Data\n');
    const third = await outcome(scripted, { text });
    expect(third.text).toMatch(/^two\nData\n/);
    say('one');
    writeFileSync(data, 'data\n');
    expect((await outcome(scripted, { text })).text).toBe(first.text);
  });

  it('the command line says what was not executed', async () => {
    const [document, text] = [join(stack.scratch, 'cli.cwl'), input('cli\n')];
    writeFileSync(document, JSON.stringify(tool({})));
    const args = ['run', '--cache', document, '--text', text];
    expect((await stack.weft(args)).stderr).toContain('[tool] done');
    const second = await stack.weft(args);
    expect(second.stderr).toContain('[tool] cached');
    expect(second.stderr).toMatch(/the task was not executed: it has the results of earlier ones .*--no-cache executes everything/);
    const runId = /r-[0-9a-z]{26}/.exec(second.stderr)?.[0] ?? '';
    expect((await stack.weft(['show', runId])).stdout).toContain('succeeded (cached)');
    const again = ['run', document, '--text', text];
    for (const how of [['--no-cache'], []]) {
      const { stderr } = await stack.weft([...again, ...how]);
      expect(stderr).toContain('[tool] done');
      expect(stderr).not.toContain('not executed');
    }
  });
});

describeWithDocker('in containers', () => {
  const image = `weft-reuse-spec-${process.pid}:latest`;
  const name = (source: string): void => {
    const { status, stderr } = spawnSync('docker', ['tag', source, image], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  beforeAll(() => name('alpine:latest'));
  afterAll(() => void spawnSync('docker', ['rmi', image]));
  decides(
    () => ({ DockerRequirement: { dockerPull: image } }),
    () => name('bash:4.4'),
  );
});
