/**
 * What a run sees of the shell that submitted it, and what services do not: several shells, one home.
 * Nothing here waits for time: a command is over when its process is.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { withoutWaiting } from '@weft/testing';
import { pidOf, stackProcesses } from './stack-processes.js';
import { ROOT } from './stack.js';

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\n';
const DOCUMENTS = {
  'mine.cwl': `${TOOL}baseCommand: mine\nstdout: out.txt\noutputs: { out: stdout }\n`,
  'umask.cwl': `${TOOL}baseCommand: [sh, -c, umask]\nstdout: out.txt\noutputs: { out: stdout }\n`,
  'env.cwl': `${TOOL}baseCommand: env\nstdout: out.txt\noutputs: { out: stdout }\n`,
  'fails-once.cwl': `cwlVersion: v1.2
class: CommandLineTool
inputs: { flag: string }
baseCommand: [sh, -c, 'test -e "$0" && mine']
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
let outdirs = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-caller-'));
  for (const [name, content] of Object.entries(DOCUMENTS)) writeFileSync(join(folder, name), content);
  for (const shell of ['one', 'two']) {
    mkdirSync(join(folder, shell));
    writeFileSync(join(folder, shell, 'mine'), `#!/bin/sh\necho ${shell}\n`);
    chmodSync(join(folder, shell, 'mine'), 0o755);
  }
});

afterEach(async () => {
  const { code } = await weft(['down']);
  rmSync(folder, { recursive: true, force: true });
  expect(code).toBe(0);
});

function weft(args: string[], shell: Record<string, string> = {}, umask = '022'): Promise<Ended> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('WEFT_') && name !== 'REDIS_URL');
  const env = { ...Object.fromEntries(own), WEFT_HOME: join(folder, 'home'), WEFT_LINGER_S: '600', WEFT_PRIVATE: '0', ...shell };
  const command = ['-c', `umask ${umask}; exec "$@"`, 'sh', process.execPath, join(ROOT, 'dist/cli.mjs'), ...args];
  return ended(spawn('/bin/sh', command, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function ended(child: ReturnType<typeof spawn>): Promise<Ended> {
  const code = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')));
  return { code: await code, stdout: stdout ?? '', stderr: stderr ?? '' };
}

/** What the tool wrote; fails with what the command said. */
async function output(
  document: string,
  shell: Record<string, string> = {},
  { umask = '022', args = [] as string[] } = {},
): Promise<string> {
  const outdir = join(folder, `out-${(outdirs += 1)}`);
  const run = await weft(['run', '--quiet', '--outdir', outdir, ...args, document], shell, umask);
  expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
  return readFileSync(join(outdir, 'out.txt'), 'utf8');
}

const withTool = (shell: string): Record<string, string> => ({ PATH: `${join(folder, shell)}:/usr/bin:/bin` });
const home = (): string => join(folder, 'home');

describe('the world of the shell that calls', () => {
  it('goes with each run: its PATH and its umask; and the first one’s temporary directory may go', async () => {
    const scratch = join(folder, 'scratch-of-the-first');
    mkdirSync(scratch);
    expect(await output('mine.cwl', { ...withTool('one'), TMPDIR: scratch }, { umask: '077' })).toBe('one\n');
    expect(readdirSync(scratch)).toEqual([]);
    rmSync(scratch, { recursive: true });
    expect(await output('mine.cwl', withTool('two'))).toBe('two\n');
    // The first shell's result again, from the cache or not, is not the second's.
    expect(await output('mine.cwl', withTool('one'))).toBe('one\n');
    expect([await output('umask.cwl', {}, { umask: '077' }), await output('umask.cwl', {}, { umask: '002' })]).toEqual([
      '0077\n',
      '0002\n',
    ]);
    const missing = await weft(['run', '--quiet', 'mine.cwl'], { PATH: '/usr/bin:/bin' });
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain(
      "command 'mine' not found in PATH (/usr/bin:/bin), which the run brought from the shell that submitted it",
    );
  });

  it('is the run’s for ever: a retry from another shell, by other services, finds the first one’s tool', async () => {
    const flag = join(folder, 'flag');
    const failed = await weft(['run', '--quiet', 'fails-once.cwl', '--flag', flag], withTool('one'));
    const runId = /run (r-\S+) failed/.exec(failed.stderr)?.[1] ?? failed.stderr;
    expect((await weft(['down'])).code).toBe(0);
    writeFileSync(flag, '');
    const retried = await weft(['retry', '--quiet', '--outdir', 'retried', runId], { PATH: '/usr/bin:/bin' });
    expect({ code: retried.code, stderr: retried.stderr }).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'retried/out.txt'), 'utf8')).toBe('one\n');
  });

  it('gives tools the variables that were chosen, and no others', async () => {
    const shell = { REF: '/ref', OTHER: 'o', LANG: 'de_DE.UTF-8' };
    const namesIn = (env: string): string[] => env.split('\n').map((line) => line.split('=')[0] ?? '');
    const plain = namesIn(await output('env.cwl', shell));
    expect(plain.filter((name) => name !== '').sort()).toEqual(['HOME', 'PATH', 'TMPDIR']);
    expect(await output('env.cwl', shell, { args: ['--preserve-environment', 'REF'] })).toContain('REF=/ref\n');
    const entire = await output('env.cwl', shell, { args: ['--preserve-entire-environment'] });
    expect(namesIn(entire)).toEqual(expect.arrayContaining(['REF', 'OTHER', 'LANG']));
    expect(namesIn(entire).filter((name) => name.startsWith('WEFT_'))).toEqual([]);
  });
});

describe('the services', () => {
  it('have a world of their own, whoever started them', async () => {
    await output('mine.cwl', { ...withTool('one'), NODE_OPTIONS: '--no-warnings', SOMETHING: 'x', LC_ALL: 'C' }, { umask: '077' });
    for (const { pid } of stackProcesses(home()).filter(({ name }) => name !== 'redis')) {
      const env = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      expect(env).toEqual(expect.arrayContaining(['LANG=C.UTF-8', `TMPDIR=${join(folder, 'home/tmp')}`]));
      expect(env.filter((line) => /^(NODE_OPTIONS|SOMETHING|LC_ALL)=|weft-caller-[^/]*\/one/.test(line))).toEqual([]);
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Umask:\s+0022$/m);
    }
    expect(statSync(join(folder, 'home/tmp')).mode & 0o777).toBe(0o700);
  });

  it('are started anew for other settings where nobody uses them, and else it is told which differ', async () => {
    const supervisorAfter = async (shell: Record<string, string>): Promise<number> => {
      await output('umask.cwl', shell);
      return pidOf(home(), 'supervisor');
    };
    const first = await supervisorAfter({});
    expect(await supervisorAfter({ SOMETHING: 'else' })).toBe(first);
    const second = await supervisorAfter({ WEFT_CALL_CACHE: 'off' });
    expect(second).not.toBe(first);
    expect((await weft(['up', '-d'], { ...ports, WEFT_CALL_CACHE: 'off' })).code).toBe(0);
    const third = pidOf(home(), 'supervisor');
    const told = await weft(['run', '--quiet', 'umask.cwl'], { WEFT_CALL_CACHE: 'on' });
    expect(told).toMatchObject({ code: 0, stderr: expect.stringMatching(/other settings \(WEFT_CALL_CACHE\) and is in use/) });
    expect(pidOf(home(), 'supervisor')).toBe(third);
    // What the operator has set and this shell does not name is no difference.
    const untold = await weft(['run', '--quiet', 'umask.cwl']);
    expect([untold.code, withoutWaiting(untold.stderr)]).toEqual([0, '']);
    expect(await weft(['up', '-d'], { ...ports, WEFT_CALL_CACHE: 'on' })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/other settings \(WEFT_CALL_CACHE\) and is in use: `weft down` stops it/),
    });
  });
});

const ports = { WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '127.0.0.1:0' };
