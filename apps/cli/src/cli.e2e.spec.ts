/**
 * The command as people and cwltest call it: one home for the whole file, so that later calls find the stack of the first.
 * Nothing here waits for time: a call is over when its process is, and is interrupted when it says that its tool runs.
 */
import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { withoutWaiting } from '@weft/testing';
import type { CwlObject, FileValue } from '@weft/plan';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
/** Milliseconds for the first call, which builds what is out of date. */

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\n';
const ECHO = `{ class: CommandLineTool, inputs: { x: { type: string, inputBinding: {} } }, outputs: { o: stdout }, stdout: out.txt, baseCommand: echo }`;
const DOCUMENTS = {
  'hello.cwl': `${TOOL}inputs: { who: string }\noutputs: { out: stdout }\nstdout: hello.txt\nbaseCommand: [echo, hello]\narguments: [$(inputs.who)]\n`,
  'hello.json': '{ "who": "you" }',
  'script.yml': '#!/usr/bin/env cwl-runner\ncwl:tool: hello.cwl\nwho: script\n',
  'fails.cwl': `${TOOL}inputs: []\noutputs: []\nbaseCommand: [sh, -c, 'echo the reason >&2; exit 7']\n`,
  'invalid.cwl': `${TOOL}inputs: []\noutputs: []\nbaseComand: echo\n`,
  'unsupported.cwl': `${TOOL}requirements: { TeleportRequirement: {} }\ninputs: []\noutputs: []\nbaseCommand: echo\n`,
  'warns.cwl': `${TOOL}hints: { 'http://example.com/Teleport': {} }\ninputs: []\noutputs: []\nbaseCommand: 'true'\n`,
  'waits.cwl': `${TOOL}inputs: { go: string }\noutputs: { out: stdout }\nstdout: out.txt\nbaseCommand: [sh, -c, 'cat < "$0"']\narguments: [$(inputs.go)]\n`,
  'sleeps.cwl': `${TOOL}inputs: []\noutputs: []\nbaseCommand: [sleep, '600']\n`,
  'same.cwl': `cwlVersion: v1.2
class: Workflow
inputs: []
outputs: { a: { type: File, outputSource: a/o }, b: { type: File, outputSource: b/o } }
steps:
  a: { run: ${ECHO}, in: { x: { default: one } }, out: [o] }
  b: { run: ${ECHO}, in: { x: { default: two } }, out: [o] }
`,
};

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-cli-'));
  for (const [name, content] of Object.entries(DOCUMENTS)) writeFileSync(join(folder, name), content);
  // The launcher builds what is out of date; from then on its program is called itself, as the launcher does.
  const { code } = await ended(spawn(join(ROOT, 'weft'), ['--version'], { stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(code).toBe(0);
});

afterAll(async () => {
  const { code } = await weft('down');
  rmSync(folder, { recursive: true, force: true });
  expect(code).toBe(0);
});

function environment(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('WEFT_') && name !== 'REDIS_URL');
  return { ...Object.fromEntries(own), WEFT_HOME: join(folder, 'home'), WEFT_LINGER_S: '600', WEFT_PRIVATE: '0' };
}

function start(args: string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [join(ROOT, 'dist/cli.mjs'), ...args], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  const code = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const weft = (...args: string[]): Promise<Ended> => ended(start(args));

const outputsOf = ({ stdout }: Ended): CwlObject => JSON.parse(stdout) as CwlObject;

describe('weft run', () => {
  it('runs an example, prints the output object alone and brings the files', async () => {
    const example = join(ROOT, 'examples/iris');
    const result = await weft('run', '--outdir', 'iris', join(example, 'workflow.cwl'), join(example, 'job.yml'));
    expect(result).toMatchObject({ code: 0 });
    const files = Object.values(outputsOf(result)).filter((value): value is FileValue => (value as FileValue | null)?.class === 'File');
    expect(files.length).toBeGreaterThan(0);
    for (const { path } of files) expect(existsSync(path ?? '')).toBe(true);
  });

  it('says nothing of set-up when the stack is there', async () => {
    const { code, stderr } = await weft('run', '--outdir', 'second', 'hello.cwl', '--who', 'you');
    expect(code).toBe(0);
    expect(
      withoutWaiting(stderr)
        .split('\n')
        .filter((line) => !/^(run r-\S+ |\[tool\] )/.test(line)),
    ).toEqual(['']);
  });

  it('gives two outputs of one name a place each', async () => {
    const result = await weft('run', '--outdir', 'same', '--quiet', 'same.cwl');
    const { a, b } = outputsOf(result) as { a: FileValue; b: FileValue };
    expect([a.path, b.path]).toEqual([join(folder, 'same/out.txt'), join(folder, 'same/2/out.txt')]);
    expect([a, b].map(({ path }) => readFileSync(path ?? '', 'utf8'))).toEqual(['one\n', 'two\n']);
  });

  it.each([
    ['hello.cwl', 1, /input 'who' is missing/],
    ['fails.cwl', 1, /the reason/],
    ['invalid.cwl', 1, /^invalid\.cwl:5:1: error: .*did you mean 'baseCommand'\?$/m],
    ['unsupported.cwl', 33, /TeleportRequirement/],
    ['gone.cwl', 1, /does not exist/],
  ])('%s ends with %d and says why', async (document, code, why) => {
    const result = await weft('run', document);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(why);
  });

  it('is silent with --quiet but for what is wrong', async () => {
    const { stderr, ...warned } = await weft('run', '--quiet', 'warns.cwl');
    expect([warned, withoutWaiting(stderr)]).toEqual([{ code: 0, stdout: '{}\n' }, '']);
    expect((await weft('run', '--quiet', 'fails.cwl')).stderr).toMatch(/^weft: run r-\S+ failed: /);
  });

  it('cancels its run on Ctrl-C and ends with 130', async () => {
    const child = start(['run', '--json', 'sleeps.cwl']);
    const closed = new Promise<number | null>((done) => child.once('close', done));
    let runId = '';
    for await (const line of createInterface({ input: child.stderr })) {
      if (!line.startsWith('{')) continue;
      const event = JSON.parse(line) as { runId: string; task?: { runnerId: string; startedAt?: string } };
      if (event.task?.startedAt === undefined || runId !== '') continue;
      ({ runId } = event);
      child.kill('SIGINT');
    }
    expect(await closed).toBe(130);
    expect(JSON.parse((await weft('show', '--json', runId)).stdout)).toMatchObject({ status: 'RUN_STATUS_CANCELLED' });
  });
});

describe('weft attach', () => {
  it('waits for a run that was detached, and brings its outputs; Ctrl-C only leaves', async () => {
    const fifo = join(folder, 'go');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    const runId = (await weft('run', '--detach', 'waits.cwl', '--go', fifo)).stdout.trim();

    const left = start(['attach', '--json', runId]);
    const closed = new Promise<number | null>((done) => left.once('close', done));
    for await (const line of createInterface({ input: left.stderr })) if (line.includes('startedAt')) left.kill('SIGINT');
    expect(await closed).toBe(130);

    const attached = weft('attach', '--outdir', 'attached', runId);
    writeFileSync(fifo, 'gone on\n');
    const { code, stdout } = await attached;
    expect(code).toBe(0);
    const { path } = (JSON.parse(stdout) as { out: FileValue }).out;
    expect([path, readFileSync(path ?? '', 'utf8')]).toEqual([join(folder, 'attached/out.txt'), 'gone on\n']);
  });

  it('ends as the run did', async () => {
    const runId = (await weft('run', '--detach', 'fails.cwl')).stdout.trim();
    const { code, stderr } = await weft('attach', '--quiet', runId);
    expect([code, stderr]).toEqual([1, expect.stringContaining('the reason')]);
    expect(await weft('attach', 'r-nowhere')).toMatchObject({ code: 1, stderr: expect.stringContaining("no run 'r-nowhere'") });
  });
});

/** cwltest calls `<tool> [arguments] --outdir=<dir> [--quiet] <document> [<job>]`, reads stdout as JSON, and takes 33 for unsupported. */
describe('the way of cwltest', () => {
  it('gives the output object on stdout, and locations in the output directory', async () => {
    const outdir = join(folder, 'cwltest');
    const result = await weft('run', `--outdir=${outdir}`, '--quiet', join(folder, 'hello.cwl'), join(folder, 'hello.json'));
    expect([result.code, withoutWaiting(result.stderr)]).toEqual([0, '']);
    expect(outputsOf(result)).toEqual({
      out: {
        class: 'File',
        basename: 'hello.txt',
        location: `file://${outdir}/hello.txt`,
        path: `${outdir}/hello.txt`,
        checksum: 'sha1$11acaba2c723cc6366c0f18ff04212d4f214b9c2',
        size: 10,
      },
    });
  });

  it('ends with 33 where a feature is not supported, and prints no object', async () => {
    expect(await weft('run', `--outdir=${folder}/x`, '--quiet', join(folder, 'unsupported.cwl'))).toMatchObject({ code: 33, stdout: '' });
  });
});

/** CWL v1.2 Workflow §1.6: documents and jobs are scripts of whatever engine is called cwl-runner. */
describe('the way of cwl-runner', () => {
  const runner = (command: string, args: string[], input = ''): string => {
    const env = { ...environment(), PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
    return execFileSync(command, args, { cwd: folder, env, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  };
  const said = (stdout: string): string => readFileSync((JSON.parse(stdout) as { out: FileValue }).out.path ?? '', 'utf8');

  beforeAll(() => {
    mkdirSync(join(folder, 'bin'));
    symlinkSync(join(ROOT, 'weft'), join(folder, 'bin/cwl-runner'));
    chmodSync(join(folder, 'script.yml'), 0o755);
  });

  it('runs a job that names its document, with inputs of the command line over its own', () => {
    expect(said(runner('./script.yml', ['--who', 'more']))).toBe('hello more\n');
    expect(said(runner('cwl-runner', ['--outdir', 'script', '--quiet', 'script.yml']))).toBe('hello script\n');
  });

  it('takes document or job from stdin', () => {
    expect(said(runner('cwl-runner', ['--outdir', 'stdin', '-', '--who', 'pipe'], DOCUMENTS['hello.cwl']))).toBe('hello pipe\n');
    expect(said(runner('cwl-runner', ['--outdir', 'stdin', 'hello.cwl', '-'], '{ "who": "job" }'))).toBe('hello job\n');
  });

  it('takes document and job from a shell that makes them, or from a FIFO; what they refer to lies in the current folder', () => {
    const bash = (script: string): string => said(runner('bash', ['-c', script]));
    expect(bash(`cwl-runner --outdir piped <(cat hello.cwl) <(echo '{ "who": "shell" }')`)).toBe('hello shell\n');
    expect(bash(`mkfifo doc; cat hello.cwl > doc & cwl-runner --outdir piped doc --who fifo`)).toBe('hello fifo\n');
    expect(bash(`cwl-runner --outdir piped <(echo '{ "cwl:tool": "hello.cwl", "who": "script" }')`)).toBe('hello script\n');
    expect(bash(`cwl-runner --outdir piped /dev/stdin --who stdin < <(cat hello.cwl)`)).toBe('hello stdin\n');
    const reads =
      '{ cwlVersion: v1.2, class: CommandLineTool, inputs: { f: File }, baseCommand: cat, stdin: $(inputs.f.path), outputs: { out: stdout }, stdout: o }';
    writeFileSync(join(folder, 'beside.txt'), 'beside\n');
    expect(bash(`cwl-runner --outdir piped <(echo '${reads}') <(echo '{ "f": { "class": "File", "location": "beside.txt" } }')`)).toBe(
      'beside\n',
    );
  });

  it('reads no more of them than a document can have', () => {
    const endless = spawnSync('bash', ['-c', 'cwl-runner <(yes)'], {
      cwd: folder,
      env: { ...environment(), PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` },
      encoding: 'utf8',
    });
    expect([endless.status, endless.stderr]).toEqual([1, expect.stringMatching(/what comes on \/dev\/fd\/\d+ is larger than 16 MiB/)]);
  });

  it('says its name and version', () => {
    expect(runner('cwl-runner', ['--version'])).toMatch(/^weft \d+\.\d+\.\d+\n$/);
  });
});

describe('commands about documents', () => {
  it('validate names every mistake of every document, as editors take them', async () => {
    const { code, stdout } = await weft('validate', '--json', 'hello.cwl', 'invalid.cwl', 'unsupported.cwl');
    const [hello, invalid, unsupported] = JSON.parse(stdout) as { valid: boolean; unsupported: boolean; diagnostics: object[] }[];
    expect(code).toBe(1);
    expect(hello).toMatchObject({ valid: true, diagnostics: [] });
    expect(unsupported).toMatchObject({ valid: false, unsupported: true });
    expect(invalid?.diagnostics).toMatchObject([
      { uri: `file://${folder}/invalid.cwl`, range: { start: { line: 4, character: 0 } }, severity: 1, source: 'weft' },
    ]);
  });

  it('validate ends with 0 and 33, too', async () => {
    expect((await weft('validate', 'hello.cwl', 'warns.cwl')).code).toBe(0);
    expect((await weft('validate', 'hello.cwl', 'unsupported.cwl')).code).toBe(33);
  });

  it('what pack and inputs write can be run', async () => {
    expect((await weft('pack', 'same.cwl', '-o', 'packed.cwl')).code).toBe(0);
    expect((await weft('run', '--quiet', '--outdir', 'packed', 'packed.cwl')).code).toBe(0);
    expect((await weft('inputs', 'hello.cwl', '-o', 'filled.yml')).code).toBe(0);
    const result = await weft('run', '--quiet', '--outdir', 'filled', 'hello.cwl', 'filled.yml');
    expect(readFileSync((outputsOf(result)['out'] as FileValue).path ?? '', 'utf8')).toBe('hello text\n');
  });

  it('graph draws, and run --help explains the document', async () => {
    expect((await weft('graph', '--svg', 'same.cwl')).stdout).toMatch(/<svg[^]*<\/svg>/);
    expect((await weft('run', 'hello.cwl', '--help')).stdout).toContain('--who string');
  });
});
