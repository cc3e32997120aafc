/**
 * What `weft run --outdir` and `weft attach --outdir` do with what lies there, by the command itself. Nothing here waits for time: a tool stands before a
 * FIFO until the test opens it, and has begun when the command says so.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { withoutWaiting } from '@weft/testing';
import { jest } from '@jest/globals';
import type { CwlObject, FileValue } from '@weft/plan';
import { untruths } from '../spec-support/output-world.js';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
/** Milliseconds for the first call, which builds what is out of date. */
jest.setTimeout(120_000);

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\n';
const DOCUMENTS = {
  'results.cwl': `${TOOL}inputs: { in: File }\noutputs: { o: { type: Directory, outputBinding: { glob: results } } }
baseCommand: [sh, -c, 'mkdir -p results/deep && cat "$0" > results/new && echo deep > results/deep/er']\narguments: [$(inputs.in.path)]\n`,
  'data.cwl': `${TOOL}inputs: { in: File? }\noutputs: { o: stdout }\nstdout: data\nbaseCommand: [echo, output]\n`,
  'dot.cwl': `${TOOL}inputs: []\noutputs: { o: { type: Directory, outputBinding: { glob: . } } }\nbaseCommand: [touch, made]\n`,
  'gate.cwl': `${TOOL}requirements: { ResourceRequirement: { coresMin: 0.1 } }\ninputs: { go: string }\noutputs: { o: stdout }\nstdout: out.txt\nbaseCommand: [cat]\narguments: [$(inputs.go)]\n`,
  'hostile.cwl': `cwlVersion: v1.2\nclass: ExpressionTool\nrequirements: { InlineJavascriptRequirement: {} }\ninputs: { called: string, kind: string }\noutputs: { o: Any }
expression: '\${ var inner = {class: "File", basename: inputs.called, contents: "x"};
  return {o: inputs.kind === "File" ? inner : inputs.kind === "Directory" ? {class: "Directory", basename: inputs.called, listing: []}
    : inputs.kind === "listing" ? {class: "Directory", basename: "d", listing: [inner]} : {class: "File", basename: "f", contents: "", secondaryFiles: [inner]}}; }'\n`,
};

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

let folder: string;
let scene = 0;
/** A working folder of its own for each test. */
let here: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-delivery-'));
  for (const [name, content] of Object.entries(DOCUMENTS)) writeFileSync(join(folder, name), content);
  // The launcher builds what is out of date; from then on its program is called itself, as the launcher does.
  expect((await ended(spawn(join(ROOT, 'weft'), ['--version']))).code).toBe(0);
});

afterAll(async () => {
  const { code } = await weft('down');
  rmSync(folder, { recursive: true, force: true });
  expect(code).toBe(0);
});

beforeEach(() => {
  here = join(folder, `scene-${(scene += 1)}`);
  mkdirSync(here);
});

function start(args: string[]): ChildProcess {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('WEFT_') && name !== 'REDIS_URL');
  const env = { ...Object.fromEntries(own), WEFT_HOME: join(folder, 'home'), WEFT_LINGER_S: '600', WEFT_PRIVATE: '0' };
  return spawn(process.execPath, [join(ROOT, 'dist/cli.mjs'), ...args], { cwd: here, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess): Promise<Ended> {
  const code = new Promise<number | null>((done) => child.once('close', done));
  const all = (stream: Readable | null): Promise<string> => (stream && !stream.destroyed ? text(stream) : Promise.resolve(''));
  const [stdout, stderr] = await Promise.all([all(child.stdout), all(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const weft = (...args: string[]): Promise<Ended> => ended(start(args));

async function delivered(...args: string[]): Promise<{ outputs: CwlObject; stderr: string }> {
  const { code, stdout, stderr } = await weft('run', '--quiet', ...args);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const outputs = JSON.parse(stdout) as CwlObject;
  expect(untruths(outputs)).toEqual([]);
  return { outputs, stderr };
}

const pathOf = ({ outputs }: { outputs: CwlObject }): string | undefined => (outputs['o'] as FileValue).path;
const at = (path: string): string => join(here, path);
const put = (path: string, content: string): void => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
};
const bytes = (path: string): string => readFileSync(at(path), 'utf8');

it('a folder results with notes and the input in it, in the current folder: they stay, the output Directory is merged', async () => {
  put('results/input.csv', 'precious');
  put('results/notes/day 1', 'notes');
  const result = await delivered('../results.cwl', '--in', 'results/input.csv');
  expect([pathOf(result), withoutWaiting(result.stderr)]).toEqual([at('results'), '']);
  expect([bytes('results/input.csv'), bytes('results/notes/day 1'), bytes('results/new'), bytes('results/deep/er')]).toEqual([
    'precious',
    'notes',
    'precious',
    'deep\n',
  ]);
});

it('an output File called like a folder goes beside, and it says so', async () => {
  put('out/data/mine', 'mine');
  const result = await delivered('--outdir', 'out', '../data.cwl');
  expect([pathOf(result), bytes('out/data/mine'), bytes('out/2/data')]).toEqual([at('out/2/data'), 'mine', 'output\n']);
  expect(result.stderr).toBe(`weft: ${at('out/data')} is a folder: it stays as it is, and output 'o' is ${at('out/2/data')}\n`);
});

it('an output called like an input in the current folder goes beside, also where --outdir is a link to its folder', async () => {
  put('data', 'precious');
  expect(pathOf(await delivered('../data.cwl', '--in', 'data'))).toBe(at('2/data'));
  symlinkSync('.', at('link'));
  expect(pathOf(await delivered('--outdir', 'link', '../data.cwl', '--in', 'data'))).toBe(at('link/2/data'));
  symlinkSync('data', at('alias'));
  expect(pathOf(await delivered('../data.cwl', '--in', 'alias'))).toBe(at('2/data'));
  expect(bytes('data')).toBe('precious');
});

it('a tool’s whole folder (glob .) is merged into one of its name', async () => {
  put('work/mine', 'mine');
  expect(pathOf(await delivered('../dot.cwl'))).toBe(at('work'));
  expect([bytes('work/mine'), existsSync(at('work/made'))]).toEqual(['mine', true]);
});

it('a run that is repeated replaces its outputs; another one into the same folder leaves what is not its own', async () => {
  put('other', 'other');
  await delivered('--outdir', 'out', '../results.cwl', '--in', 'other');
  put('out/results/notes', 'notes');
  await delivered('--outdir', 'out', '../results.cwl', '--in', '../data.cwl');
  await delivered('--outdir', 'out', '../data.cwl');
  expect([readdirSync(at('out')).sort(), bytes('out/results/notes')]).toEqual([['data', 'results'], 'notes']);
  expect(bytes('out/results/new')).toBe(readFileSync(join(folder, 'data.cwl'), 'utf8'));
});

/** Started, and resolved when its tool runs; `rest`: its end. */
async function running(args: string[]): Promise<{ rest: Promise<Ended> }> {
  const child = start(['run', '--json', ...args]);
  const code = new Promise<number | null>((done) => child.once('close', done));
  const stdout = text(child.stdout!);
  let stderr = '';
  let runs: () => void;
  const begun = new Promise<void>((done) => (runs = done));
  createInterface({ input: child.stderr! }).on('line', (line) => {
    stderr += `${line}\n`;
    if (line.includes('startedAt')) runs();
  });
  const rest = Promise.all([code, stdout]).then(([ending, said]) => ({ code: ending, stdout: said, stderr }));
  await Promise.race([begun, rest]);
  return { rest };
}

it('three runs at once into one folder: each has its own file', async () => {
  for (const n of [1, 2, 3]) expect(spawnSync('mkfifo', [at(`go${n}`)]).status).toBe(0);
  const runs = await Promise.all([1, 2, 3].map((n) => running(['--outdir', 'out', '--no-cache', '../gate.cwl', '--go', at(`go${n}`)])));
  for (const n of [1, 2, 3]) writeFileSync(at(`go${n}`), `of ${n}`);
  const ends = await Promise.all(runs.map(({ rest }) => rest));
  expect(ends.map(({ code, stderr }) => (code === 0 ? '' : stderr))).toEqual(['', '', '']);
  const outputs = ends.map(({ stdout }) => JSON.parse(stdout) as CwlObject);
  expect(outputs.flatMap(untruths)).toEqual([]);
  expect(outputs.map((one) => readFileSync(pathOf({ outputs: one }) ?? '', 'utf8'))).toEqual(['of 1', 'of 2', 'of 3']);
  expect(readdirSync(at('out')).sort()).toEqual(['2', '3', 'out.txt']);
});

it('a folder that goes away while the run is under way: exit 1, nothing half, and attach brings the outputs', async () => {
  mkdirSync(at('out'));
  expect(spawnSync('mkfifo', [at('go')]).status).toBe(0);
  const { rest } = await running(['--outdir', 'out', '--no-cache', '../gate.cwl', '--go', at('go')]);
  rmSync(at('out'), { recursive: true });
  put('out', 'a file of mine');
  writeFileSync(at('go'), 'kept');
  const { code, stdout, stderr } = await rest;
  const [, runId = ''] = /`weft attach (r-\S+) --outdir <another folder>` brings them/.exec(stderr) ?? [];
  expect([code, stdout, bytes('out'), runId]).toEqual([1, '', 'a file of mine', expect.stringMatching(/^r-/)]);
  const attached = await weft('attach', '--quiet', '--outdir', 'elsewhere', runId);
  expect([attached.code, untruths(JSON.parse(attached.stdout) as CwlObject), bytes('elsewhere/out.txt')]).toEqual([0, [], 'kept']);
  const refused = await weft('attach', '--quiet', '--outdir', 'out', runId);
  expect(refused).toEqual({ code: 1, stdout: '', stderr: 'weft: --outdir out: that is not a folder\n' });
});

it('where outputs could not be put, nothing is run', async () => {
  put('file', '');
  symlinkSync('nowhere', at('link'));
  const runs = async (): Promise<string> => (await weft('ls', '--json')).stdout;
  const before = await runs();
  for (const outdir of ['file', 'file/below', 'link', '/proc/nowhere', '', 's3://bucket/x', join(folder, 'home/data')]) {
    const { code, stdout, stderr } = await weft('run', '--outdir', outdir, '../data.cwl');
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(/^weft: --outdir .*\n$/)]);
  }
  expect(await runs()).toBe(before);
});

it.each(['File', 'Directory', 'listing', 'secondary'])('a name that leads out of the folder is written nowhere (%s)', async (kind) => {
  put('victim/mine', 'mine');
  for (const name of ['../victim', '..', join(here, 'victim')]) {
    const { code } = await weft('run', '--quiet', '--outdir', 'out', '../hostile.cwl', '--called', name, '--kind', kind);
    expect([name, code]).toEqual([name, 1]);
  }
  expect([readdirSync(here), bytes('victim/mine')]).toEqual([['victim'], 'mine']);
  await delivered('--outdir', 'out', '../hostile.cwl', '--called', 'plain\nname', '--kind', kind);
});
