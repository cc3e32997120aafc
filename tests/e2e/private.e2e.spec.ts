/**
 * A stack that belongs to one command: it ends with it, however that ends, and what it has stored is found again.
 * Nothing here waits for time: a process is awaited by its end, a task by what it says.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { withoutWaiting } from '@weft/testing';
import { ROOT } from './stack.js';

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\n';
const DOCUMENTS = {
  'hello.cwl': `${TOOL}inputs: []\nbaseCommand: [echo, hello]\nstdout: out.txt\noutputs: { out: stdout }\n`,
  // Says into a FIFO that it runs, and ends when the test has written into another.
  'waits.cwl': `${TOOL}inputs: { says: string, hears: string }
baseCommand: [sh, -c, 'echo here > "$0"; read -r line < "$1"; echo "$line"']
arguments: [$(inputs.says), $(inputs.hears)]
stdout: out.txt
outputs: { out: stdout }
`,
  'fails-once.cwl': `${TOOL}inputs: { flag: string }
baseCommand: [sh, -c, 'test -e "$0" && echo there']
arguments: [$(inputs.flag)]
stdout: out.txt
outputs: { out: stdout }
`,
};

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

let folder: string;
let home: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-private-')));
  home = join(folder, 'home');
  for (const [name, content] of Object.entries(DOCUMENTS)) writeFileSync(join(folder, name), content);
});
afterEach(async () => {
  expect((await weft(['down'])).code).toBe(0);
  const left = processesOf();
  rmSync(folder, { recursive: true, force: true });
  expect(left).toEqual([]);
});

function start(args: string[], env: Record<string, string> = {}): ChildProcessByStdio<null, Readable, Readable> {
  const own = Object.entries(process.env).filter(([name]) => !/^(WEFT_.*|REDIS_URL|CI|GITHUB_ACTIONS|GITLAB_CI)$/.test(name));
  return spawn(process.execPath, [join(ROOT, 'dist/cli.mjs'), ...args], {
    cwd: folder,
    env: { ...Object.fromEntries(own), WEFT_HOME: home, WEFT_LINGER_S: '600', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  const code = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const weft = (args: string[], env: Record<string, string> = {}): Promise<Ended> => ended(start(args, env));

/** Supervisors, services and Redis that work below the folder, and tools that were told of it. */
function processesOf(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && Number(pid) !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}

/** Waits for the ends of processes that are not our children: the kernel tells nobody, so it is asked until they are gone. */
async function allGone(): Promise<void> {
  while (processesOf().length > 0) await new Promise((resolve) => setImmediate(resolve));
}

function fifos(): { says: string; hears: string } {
  const [says, hears] = [join(folder, 'says'), join(folder, 'hears')];
  return { says, hears };
}

async function makeFifos(): Promise<{ says: string; hears: string }> {
  const made = fifos();
  await new Promise((done) => spawn('mkfifo', [made.says, made.hears]).once('close', done));
  return made;
}

/** Resolves with what the tool wrote into its FIFO. */
async function heard(path: string): Promise<string> {
  return (await text(spawn('cat', [path]).stdout)).trim();
}

it('leaves no process behind, and its runs can be looked at and gone on with', async () => {
  const run = await weft(['run', '--quiet', '--private', '--outdir', 'a', 'hello.cwl']);
  expect(run).toMatchObject({ code: 0 });
  expect(processesOf()).toEqual([]);
  const flag = join(folder, 'flag');
  const failed = await weft(['run', '--quiet', '--private', 'fails-once.cwl', '--flag', flag]);
  const runId = /run (r-\S+) failed/.exec(failed.stderr)?.[1] ?? failed.stderr;
  expect(failed.code).toBe(1);
  expect(processesOf()).toEqual([]);
  // From another shell, which has no private stack in mind.
  expect((await weft(['show', runId])).stdout).toContain(runId);
  writeFileSync(flag, '');
  expect(await weft(['retry', '--quiet', '--outdir', 'b', runId])).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, 'b/out.txt'), 'utf8')).toBe('there\n');
  expect(await weft(['attach', '--quiet', '--outdir', 'c', runId])).toMatchObject({ code: 0 });
  expect(processesOf()).toEqual([]);
  // The home's own state was never used; it is where an unknown run would be.
  expect(existsSync(join(home, 'redis'))).toBe(false);
  expect((await weft(['show', 'r-nowhere'], { WEFT_PRIVATE: '1' })).code).toBe(1);
  expect(processesOf()).toEqual([]);
  // Whoever keeps house sees them, and is told where.
  const state = join(home, 'private/1');
  const named = `WEFT_HOME=${state}`;
  expect((await weft(['ls'])).stderr).toContain(named);
  expect((await weft(['du'])).stdout).toMatch(/private stacks/);
  expect(await weft(['rm', runId])).toMatchObject({ code: 1, stderr: expect.stringContaining(named) });
  expect(await weft(['rm', runId], { WEFT_HOME: state })).toMatchObject({ code: 0, stdout: `${runId} removed\n` });
  expect(await weft(['down'], { WEFT_HOME: state })).toMatchObject({ code: 0 });
  expect(await weft(['down'])).toMatchObject({ code: 0 });
  expect(processesOf()).toEqual([]);
});

it('ends when its command is killed, with its tasks; another command goes on with the run', async () => {
  const { says, hears } = await makeFifos();
  const command = start(['run', '--private', '--outdir', 'a', 'waits.cwl', '--says', says, '--hears', hears]);
  const end = ended(command);
  await heard(says);
  command.kill('SIGKILL');
  const { stderr } = await end;
  const runId = /run (r-\S+)/.exec(stderr)?.[1] ?? stderr;
  await allGone();
  const attached = ended(start(['attach', '--quiet', '--outdir', 'b', runId]));
  await heard(says);
  writeFileSync(hears, 'again\n');
  expect(await attached).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, 'b/out.txt'), 'utf8')).toBe('again\n');
  expect(processesOf()).toEqual([]);
});

it('is two where two commands want one at once, beside the one that others use', async () => {
  const { says, hears } = await makeFifos();
  const first = ended(start(['run', '--quiet', '--private', '--outdir', 'a', 'waits.cwl', '--says', says, '--hears', hears]));
  await heard(says);
  expect(await weft(['run', '--quiet', '--private', '--outdir', 'b', 'hello.cwl'])).toMatchObject({ code: 0 });
  expect(await weft(['run', '--quiet', '--outdir', 'c', 'hello.cwl'])).toMatchObject({ code: 0 });
  writeFileSync(hears, 'first\n');
  expect(await first).toMatchObject({ code: 0 });
  expect(readdirSync(join(home, 'private')).sort()).toEqual(['1', '2', 'runs']);
});

it.each([
  ['private', '1'],
  ['one for all', '0'],
])('serves commands that begin at once where nothing is there yet: %s', async (_, own) => {
  const once = (n: number): Promise<Ended> =>
    weft(['run', '--quiet', '--no-cache', '--outdir', `at-once-${n}`, 'hello.cwl'], { WEFT_PRIVATE: own, WEFT_LINGER_S: '0' });
  const ends = await Promise.all([1, 2, 3, 4].map(once));
  expect(ends.map(({ code, stderr }) => [code, withoutWaiting(stderr)])).toEqual(ends.map(() => [0, '']));
  await allGone();
});

it('is what a batch job and CI get by themselves, and say so', async () => {
  const job = await weft(['run', '--outdir', 'a', 'hello.cwl'], { SLURM_JOB_ID: '7' });
  expect(job).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('in a batch job (SLURM_JOB_ID): this command has a stack of its own'),
  });
  expect(processesOf()).toEqual([]);
  expect((await weft(['ls'], { CI: 'true' })).code).toBe(0);
  expect(processesOf()).toEqual([]);
  const detached = await weft(['run', '--quiet', '--detach', 'hello.cwl'], { CI: 'true' });
  expect(detached).toMatchObject({ code: 1, stderr: expect.stringContaining("--detach: this command's stack ends with it") });
  expect(processesOf()).toEqual([]);
  expect((await weft(['run', '--quiet', '--outdir', 'b', 'hello.cwl'], { CI: 'true', WEFT_PRIVATE: '0' })).code).toBe(0);
  expect(processesOf()).not.toEqual([]);
});

it.each([
  ['stay', {}],
  ['end with them', { CI: '1' }],
])('is gone with its home after a suite that has names of its own, where stacks of commands %s', async (_, env) => {
  const suite = join(ROOT, 'tests/conformance');
  const options = ['--test', 'arguments', '--stand-in', 'nowhere.example=127.0.0.1', '--json', 'report.json'];
  const judged = await weft(['conformance', suite, ...options], { TMPDIR: folder, ...env });
  expect(judged).toMatchObject({ code: 0, stdout: expect.stringContaining('1 of 1 passed') });
  expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toMatchObject({ results: [{ id: 'arguments', passed: true }] });
  expect(processesOf()).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.startsWith('weft-private-'))).toEqual([]);
});
