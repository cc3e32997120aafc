/**
 * How a command ends is told: streams that do not take what it says, signals, a stack that is stopped below it, limits and retries.
 *
 * Invariants: nothing here waits for time. A tool stands before a FIFO until the test opens it; a signal is sent once the command has said that
 * the tool runs; a command is over when its process is.
 */
import { type ChildProcess, spawn, spawnSync, type StdioOptions } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { withoutWaiting } from '@weft/testing';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
/** Milliseconds for the first call, which builds what is out of date. */

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\n';
const DOCUMENTS = {
  'hello.cwl': `${TOOL}inputs: []\noutputs: { out: stdout }\nstdout: hello.txt\nbaseCommand: [echo, hello]\n`,
  // Says that it runs, and stands until somebody writes.
  'waits.cwl': `${TOOL}inputs: { go: string }\noutputs: { out: stdout }\nstdout: out.txt\nbaseCommand: [sh, -c, 'cat < "$0"']\narguments: [$(inputs.go)]\n`,
  'dies.cwl': `${TOOL}inputs: { signal: string }\noutputs: []\nbaseCommand: [sh, -c, 'kill -s "$0" $$']\narguments: [$(inputs.signal)]\n`,
  'long.cwl': `${TOOL}requirements: { InlineJavascriptRequirement: {} }\ninputs: { bytes: int }\noutputs: []\nbaseCommand: echo\narguments: ['$("x".repeat(inputs.bytes))']\n`,
  'some.cwl': `cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {} }
inputs: { n: 'int[]', folder: string }
outputs: []
steps:
  one:
    scatter: n
    run:
      class: CommandLineTool
      inputs: { n: int, folder: string }
      outputs: []
      baseCommand: [sh, -c, 'test -e "$0/$1"']
      arguments: [$(inputs.folder), $(inputs.n)]
    in: { n: n, folder: folder }
    out: []
`,
};

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-ends-'));
  for (const [name, content] of Object.entries(DOCUMENTS)) writeFileSync(join(folder, name), content);
  expect(spawnSync('mkfifo', [join(folder, 'go')]).status).toBe(0);
  // The launcher builds what is out of date; from then on its program is called itself, as the launcher does.
  expect((await ended(spawn(join(ROOT, 'weft'), ['--version']))).code).toBe(0);
});

afterAll(async () => {
  const { code } = await weft('down');
  rmSync(folder, { recursive: true, force: true });
  expect(code).toBe(0);
});

function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('WEFT_') && name !== 'REDIS_URL');
  return { ...Object.fromEntries(own), WEFT_HOME: join(folder, 'home'), WEFT_LINGER_S: '600', WEFT_PRIVATE: '0' };
}

function start(args: string[], stdio: StdioOptions = ['ignore', 'pipe', 'pipe']): ChildProcess {
  return spawn(process.execPath, [join(ROOT, 'dist/cli.mjs'), ...args], { cwd: folder, env: environment(), stdio });
}

async function ended(child: ChildProcess): Promise<Ended> {
  const code = new Promise<number | null>((done) => child.once('close', done));
  const all = (stream: Readable | null): Promise<string> => (stream && !stream.destroyed ? text(stream) : Promise.resolve(''));
  const [stdout, stderr] = await Promise.all([all(child.stdout), all(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const weft = (...args: string[]): Promise<Ended> => ended(start(args));

/** By a shell that is told what to do with the streams. */
const shell = (script: string): Promise<Ended> =>
  ended(spawn('sh', ['-c', script, join(ROOT, 'weft')], { cwd: folder, env: environment() }));

interface Following {
  child: ChildProcess;
  runId: string;
  /** What it says from then on, and its end. */
  rest: Promise<Ended>;
}

/** Starts a command that follows a run, and resolves when that run's tool has started. */
async function following(...args: string[]): Promise<Following> {
  const child = start(args);
  const code = new Promise<number | null>((done) => child.once('close', done));
  const lines: string[] = [];
  const stdout = text(child.stdout as Readable);
  const reader = createInterface({ input: child.stderr as Readable });
  const gone = new Promise<void>((done) => reader.once('close', done));
  const runId = await new Promise<string>((found, failed) => {
    reader.on('line', (line) => {
      lines.push(line);
      if (line.includes('started')) found(/r-[0-9a-z]{26}/.exec(lines.join('\n'))?.[0] ?? '');
    });
    void gone.then(() => failed(new Error(lines.join('\n'))));
  });
  return { child, runId, rest: gone.then(async () => ({ code: await code, stdout: await stdout, stderr: lines.join('\n') })) };
}

const waits = (): Promise<Following> => following('run', '--no-cache', '--outdir', 'waits', 'waits.cwl', '--go', join(folder, 'go'));
const go = (): void => writeFileSync(join(folder, 'go'), 'gone on\n');

const statusOf = async (runId: string): Promise<{ status: string; failure?: { code: string; message: string } }> =>
  JSON.parse((await weft('show', '--json', runId)).stdout) as { status: string };

describe('names that are no UTF-8', () => {
  it.each([
    ['argument 3', `"$0" run --outdir "$(printf 'to\\351')" hello.cwl`],
    ['working directory', `mkdir "$(printf 'in\\351')"; cd "$(printf 'in\\351')"; "$0" run ../hello.cwl`],
    ['WEFT_HOME', `WEFT_HOME="$PWD/$(printf 'at\\351')" "$0" run hello.cwl`],
  ])('are refused by what they are: %s', async (what, script) => {
    const { code, stderr } = await shell(script);
    expect([code, stderr]).toEqual([1, expect.stringMatching(new RegExp(`^weft: .*${what}.*\\\\xe9.* is not UTF-8`))]);
    // Nothing was made under the name that is nearest.
    expect(readdirSync(folder).filter((name) => name.includes('\uFFFD') && !name.startsWith('in'))).toEqual([]);
  });
});

describe('streams', () => {
  it.each(['2>&-', '2>/dev/full', '2>/dev/full --json'])('stderr that takes nothing (%s) does not decide how a run ends', async (how) => {
    const outdir = `quiet${how.replace(/\W/g, '')}`;
    const [redirection = '', option = ''] = how.split(' --');
    const { code, stdout } = await shell(`"$0" run ${option && `--${option}`} --outdir ${outdir} hello.cwl ${redirection}`);
    expect([code, JSON.parse(stdout)]).toEqual([0, { out: expect.objectContaining({ basename: 'hello.txt' }) }]);
    expect(readFileSync(join(folder, outdir, 'hello.txt'), 'utf8')).toBe('hello\n');
  });

  it('neither does a stderr that nobody reads', async () => {
    const child = start(['run', '--no-cache', '--outdir', 'unread', 'hello.cwl']);
    child.stderr?.destroy();
    expect((await ended(child)).code).toBe(0);
    expect(readFileSync(join(folder, 'unread/hello.txt'), 'utf8')).toBe('hello\n');
  });

  it.each([
    ['>&-', 'it is closed'],
    ['>/dev/full', 'no space is left there'],
  ])('stdout that takes nothing (%s) is told by the exit code, and the files are there', async (how, why) => {
    const outdir = `unsaid${how.length}`;
    const { code, stderr } = await shell(`"$0" run --outdir ${outdir} hello.cwl ${how}`);
    expect([code, stderr]).toEqual([74, expect.stringContaining(`stdout cannot be written: ${why}; run r-`)]);
    expect(readFileSync(join(folder, outdir, 'hello.txt'), 'utf8')).toBe('hello\n');
  });

  it('a reader of the object that has gone is told, a reader of a list that has had enough is not', async () => {
    const child = start(['run', '--outdir', 'gone', 'hello.cwl']);
    child.stdout?.destroy();
    expect(await ended(child)).toMatchObject({ code: 74, stderr: expect.stringContaining('nobody reads it') });
    const list = start(['ls']);
    list.stdout?.destroy();
    const listed = await ended(list);
    expect([listed.code, withoutWaiting(listed.stderr)]).toEqual([0, '']);
  });
});

describe('signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s cancels the run and ends with %d', async (signal, code) => {
    const { child, runId, rest } = await waits();
    child.kill(signal);
    expect(await rest).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringContaining(`weft: run ${runId} was cancelled: interrupted by ${signal}`),
    });
    expect((await statusOf(runId)).status).toBe('RUN_STATUS_CANCELLED');
  });

  it('SIGHUP leaves the run and ends with 129, and attach comes back to it', async () => {
    const { child, runId, rest } = await waits();
    child.kill('SIGHUP');
    expect(await rest).toMatchObject({ code: 129, stderr: expect.stringContaining(`run ${runId} goes on; \`weft attach ${runId}\``) });
    const attached = weft('attach', '--outdir', 'hung-up', runId);
    go();
    expect((await attached).code).toBe(0);
    expect(readFileSync(join(folder, 'hung-up/out.txt'), 'utf8')).toBe('gone on\n');
  });

  it('a hangup that nohup keeps away does nothing', async () => {
    const child = spawn('sh', ['-c', `trap '' HUP; exec "$0" run --no-cache --outdir nohup waits.cwl --go "$PWD/go"`, join(ROOT, 'weft')], {
      cwd: folder,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const over = new Promise<number | null>((done) => child.once('close', done));
    for await (const line of createInterface({ input: child.stderr })) {
      if (!line.includes('started')) continue;
      child.kill('SIGHUP');
      // Only a command that goes on takes this as what is asked of it.
      go();
    }
    expect(await over).toBe(0);
    expect(readFileSync(join(folder, 'nohup/out.txt'), 'utf8')).toBe('gone on\n');
  });

  it('attach leaves the run to itself, whatever the signal', async () => {
    const { child, runId, rest } = await waits();
    const left = await following('attach', runId);
    left.child.kill('SIGTERM');
    expect(await left.rest).toMatchObject({ code: 143, stderr: expect.stringContaining(`left run ${runId}`) });
    expect((await statusOf(runId)).status).toBe('RUN_STATUS_RUNNING');
    child.kill('SIGINT');
    await rest;
  });
});

describe('a stack that is stopped', () => {
  it('says what it keeps, the command says what becomes of its run, and the next one says what goes on', async () => {
    const { runId, rest } = await waits();
    const down = await weft('down');
    expect(down).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`1 unfinished run is kept and goes on when a stack starts again: ${runId}`),
    });
    expect(await rest).toMatchObject({
      code: 75,
      stdout: '',
      stderr: expect.stringMatching(`run ${runId} was under way. The run is kept, .*\`weft attach ${runId}\``),
    });
    const next = await weft('ls');
    expect([next.code, next.stderr]).toEqual([0, expect.stringContaining(`1 unfinished run goes on: ${runId}`)]);
    expect(withoutWaiting((await weft('ls')).stderr)).toBe('');
    const attached = weft('attach', '--outdir', 'kept', runId);
    go();
    expect((await attached).code).toBe(0);
    expect(readFileSync(join(folder, 'kept/out.txt'), 'utf8')).toBe('gone on\n');
  });

  it('ends the runs first with --cancel', async () => {
    const { runId, rest } = await waits();
    const down = await weft('down', '--cancel');
    expect([down.code, down.stderr]).toEqual([0, expect.stringContaining(`cancelled ${runId}`)]);
    expect(await rest).toMatchObject({ code: 1, stderr: expect.stringContaining(`run ${runId} was cancelled: the stack is stopped`) });
    expect(withoutWaiting((await weft('ls')).stderr)).toBe('');
  });
});

describe('what a run ends with', () => {
  it('is its time limit where that has passed', async () => {
    const { code, stderr } = await weft('run', '--no-cache', '--timeout', '1', 'waits.cwl', '--go', join(folder, 'go'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('failed: the run took longer than its time limit of 1 s')]);
    expect(await statusOf(/r-[0-9a-z]{26}/.exec(stderr)?.[0] ?? '')).toMatchObject({ failure: { code: 'RUN_TIME_LIMIT' } });
  });

  it.each([
    ['SEGV', 'exited with code 139 (SIGSEGV: it accessed memory that is not its own)'],
    ['KILL', 'exited with code 137 (SIGKILL: '],
  ])('is the signal that ended the tool (%s)', async (signal, message) => {
    expect((await weft('run', 'dies.cwl', '--signal', signal)).stderr).toContain(message);
  });

  it('is that a command is too long, before it is tried', async () => {
    const { code, stderr } = await weft('run', 'long.cwl', '--bytes', '200000');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/argument 1 \('x+…'\) has 200001 bytes, and Linux takes at most 131072 in one/),
    ]);
  });

  it('is counted truly, and a retry tells what is new', async () => {
    const world = mkdtempSync(join(folder, 'world-'));
    for (const n of ['1', '2']) writeFileSync(join(world, n), '');
    writeFileSync(join(folder, 'some.json'), JSON.stringify({ n: [1, 2, 3], folder: world }));
    const failed = await weft('run', '--no-cache', '--on-error', 'continue', 'some.cwl', 'some.json');
    const runId = /r-[0-9a-z]{26}/.exec(failed.stderr)?.[0] ?? '';
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('[one] 2 of 3 done, 1 failed')]);
    expect((await weft('ls')).stdout).toMatch(new RegExp(`${runId} .* 2/3 `));
    writeFileSync(join(world, '3'), '');
    const again = await weft('retry', runId);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('[one] 3 of 3 done');
    expect(again.stderr).not.toContain('failed');
    expect((await weft('ls')).stdout).toMatch(new RegExp(`${runId} .* 3/3 `));
  });
});
