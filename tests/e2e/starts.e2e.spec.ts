/**
 * Starts on machines that are not as expected: each is a success, or one sentence. Needs root for other users' ids.
 */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { sandboxRootOf } from '@weft/storage';
import { ROOT } from './stack.js';

const NOBODY_KNOWN = 54_321;
/** What a slow machine waits for may be told; no trace and no piece of a program is. */
const SHORT = /^(weft: .{1,400}\n)*$/;
const HELLO = `cwlVersion: v1.2
class: CommandLineTool
requirements: { InlineJavascriptRequirement: {} }
inputs: []
baseCommand: echo
arguments: ["\${ return 6 * 7 }"]
stdout: out.txt
outputs: { out: stdout }
`;

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-starts-')));
  chmodSync(folder, 0o777);
  writeFileSync(join(folder, 'hello.cwl'), HELLO);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface World {
  env?: Record<string, string>;
  /** Shell that comes before. */
  before?: string;
  uid?: number;
}

/** A private stack, so that nothing is left to be stopped. */
async function run({ env = {}, before = '', uid }: World): Promise<Ended> {
  const words = [process.execPath, join(ROOT, 'dist/cli.mjs'), 'run', '--quiet', '--private', '--outdir', 'out', 'hello.cwl'];
  const child = spawn('/bin/sh', ['-c', `${before}\nexec "$@"`, 'sh', ...words], {
    cwd: folder,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', WEFT_HOME: join(folder, 'home'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const code = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const asRoot = process.getuid?.() === 0 ? it : it.skip;

it.each<[string, World]>([
  ['no HOME, TERM, LANG, USER', {}],
  [
    'options for Node.js and variables of npm',
    { env: { NODE_OPTIONS: '--stack-trace-limit=5', NODE_ENV: 'production', npm_config_x: 'y' } },
  ],
  ['a locale that is none', { env: { LANG: 'xx_XX.nothing', LC_ALL: 'C.nothing' } }],
  ['a TMPDIR that is not there', { env: { TMPDIR: '/nowhere/at/all' } }],
  ['stdin closed', { before: 'exec <&-' }],
  ['an address space of 2 GB', { before: 'ulimit -v 2000000' }],
  ['256 open files', { before: 'ulimit -n 256' }],
  ['a WEFT_HOME with blanks, quotes and a name in other letters', { env: { WEFT_HOME: `home of 'me' "ü"` } }],
])('succeeds with %s', async (_what, world) => {
  expect(await run(world)).toMatchObject({ code: 0, stderr: expect.stringMatching(SHORT) });
});

it('succeeds with a folder in PATH that cannot be searched, and one that is a file', async () => {
  mkdirSync(join(folder, 'closed'), { mode: 0o000 });
  const env = { PATH: `${join(folder, 'closed')}:${join(folder, 'hello.cwl')}:/usr/local/bin:/usr/bin:/bin` };
  expect(await run({ env })).toMatchObject({ code: 0, stderr: expect.stringMatching(SHORT) });
  chmodSync(join(folder, 'closed'), 0o700);
});

asRoot('succeeds under a uid that no password file knows, also with a folder in PATH that it cannot search', async () => {
  mkdirSync(join(folder, 'home'));
  chownSync(join(folder, 'home'), NOBODY_KNOWN, NOBODY_KNOWN);
  mkdirSync(join(folder, 'closed'), { mode: 0o700 });
  const env = { PATH: `${join(folder, 'closed')}:/usr/local/bin:/usr/bin:/bin` };
  expect(await run({ uid: NOBODY_KNOWN, env })).toMatchObject({ code: 0, stderr: expect.stringMatching(SHORT) });
});

it('gives tools no path with a dot, also where HOME has dots', async () => {
  const home = join(folder, 'first.last', '.weft');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(folder, 'in.txt'), 'read');
  // As people write it, in documents and in tools.
  const script = 'pwd; echo $(runtime.outdir) $(runtime.tmpdir) $(inputs.f.path.split(".")[0]); cat $(inputs.f.path.split(".")[0]).txt';
  const where = `${HELLO.replace('inputs: []', `inputs: { f: { type: File, default: { class: File, location: in.txt } } }`)
    .replace('baseCommand: echo', 'baseCommand: [sh, -c]')
    .replace(/arguments: .*/, `arguments: ['${script}']`)}`;
  writeFileSync(join(folder, 'hello.cwl'), where);
  const { code, stderr } = await run({ env: { WEFT_HOME: home } });
  const root = sandboxRootOf(join(home, 'private/1'), join(home, 'private/1/data'));
  rmSync(root, { recursive: true, force: true });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(SHORT) as unknown });
  const seen = readFileSync(join(folder, 'out/out.txt'), 'utf8');
  expect(seen).not.toContain('.');
  expect(seen.split('\n')).toEqual([expect.stringContaining(root), expect.stringContaining(root), 'read']);
});

asRoot.each<[string, World, RegExp]>([
  ['no HOME, no WEFT_HOME and no password entry', { env: { WEFT_HOME: '' } }, /HOME is not set.*not in the password file.*WEFT_HOME/],
  ['a WEFT_HOME that cannot be made', { env: { WEFT_HOME: '/proc/weft' } }, /\/proc\/weft/],
  ['a HOME that cannot be written', { env: { WEFT_HOME: '', HOME: '/' } }, /\/\.weft.*WEFT_HOME/],
])('is one sentence with %s', async (_what, world, sentence) => {
  const { code, stderr } = await run({ ...world, uid: NOBODY_KNOWN });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(sentence) });
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr.length).toBeLessThan(400);
});
