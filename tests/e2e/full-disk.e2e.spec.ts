/** A WEFT_HOME whose disk gets full, and gets room again: a small file system in a mount namespace that ends with the test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { OwnHome, Running } from './own-home.js';
import { ROOT } from './stack.js';

jest.setTimeout(120_000);

const unavailable = process.getuid?.() === 0 ? undefined : 'needs root (a mount namespace)';
if (unavailable !== undefined) process.stderr.write(`SKIPPED a full disk: ${unavailable}\n`);

(unavailable === undefined ? describe : describe.skip)('a full disk', () => {
  let own: OwnHome;
  let holder: ChildProcess;

  async function open(size: string): Promise<void> {
    expect(spawnSync(join(ROOT, 'weft'), ['--version'], { stdio: 'ignore' }).status).toBe(0);
    own = new OwnHome();
    mkdirSync(own.home);
    const script = `mount -t tmpfs -o size=${size},mode=700 small '${own.home}' && echo ready && exec cat`;
    const held = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    holder = held;
    await new Promise<void>((done) => createInterface({ input: held.stdout }).once('line', () => done()));
  }

  afterEach(async () => {
    await within('weft', 'down').ended;
    const gone = new Promise((done) => holder.once('exit', done));
    holder.stdin?.end();
    await gone;
    await own.remove();
  });

  /** Where the small file system is. */
  function within(command: string, ...args: string[]): Running {
    const words = command === 'weft' ? [process.execPath, join(ROOT, 'dist/cli.mjs'), ...args] : [command, ...args];
    const kept = Object.entries(process.env).filter(([name]) => !/^(WEFT_|REDIS_URL$|NODE_OPTIONS$|CI$)/.test(name));
    return new Running(
      spawn('nsenter', ['--target', String(holder.pid), '--mount', '--', 'sh', '-c', 'cd "$0" && exec "$@"', own.folder, ...words], {
        env: { ...Object.fromEntries(kept), WEFT_HOME: own.home, WEFT_LINGER_S: '600', WEFT_PRIVATE: '0' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  /** Ends with an error when nothing more fits. */
  const fill = async (): Promise<void> => {
    for (const [name, block] of [
      ['large', '64k'],
      ['small', '1'],
    ])
      await within('dd', 'if=/dev/zero', `of=${own.home}/fill-${name}`, `bs=${block}`, 'count=100000').ended;
  };
  const free = (): Promise<unknown> => within('rm', `${own.home}/fill-large`, `${own.home}/fill-small`).ended;

  it('is told to whoever waits, ends nothing, and everything goes on when there is room', async () => {
    await open('20m');
    const gate = own.gate('go');
    const runId = (await within('weft', 'run', '--detach', 'waits.cwl', '--go', gate.path).ended).stdout.trim();
    const following = within('weft', 'attach', '--outdir', own.folder, runId);
    await following.says(/started/);
    const supervisor = own.pid('supervisor');
    await fill();
    const another = within('weft', 'run', '--quiet', '--no-cache', '--outdir', own.folder, 'hello.cwl');
    await following.says(/DISK_FULL: nothing can be stored in .*\/home \(0\.\d MiB free\): make room there/);
    expect((await within('weft', 'doctor').ended).stdout).toMatch(/✗ disk +DISK_FULL/);
    expect(await within('weft', 'ls').ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^weft: DISK_FULL/) });
    await free();
    await following.says(/has room again/);
    gate.open();
    expect(await following.ended).toMatchObject({ code: 0 });
    // It was submitted before it was known, and waited; or it came too late, and was told.
    const { code, stderr } = await another.ended;
    expect(code === 0 || /DISK_FULL/.test(stderr)).toBe(true);
    expect(own.pid('supervisor')).toBe(supervisor);
  });

  it('is said in a sentence by a command that would start a stack', async () => {
    await open('20m');
    await fill();
    expect(await within('weft', 'run', 'hello.cwl').ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/DISK_FULL: nothing can be stored in /),
    });
    await free();
    expect(await within('weft', 'run', '--quiet', '--outdir', own.folder, 'hello.cwl').ended).toMatchObject({ code: 0 });
  });

  const write = (name: string, script: string, streams: object = {}): void => {
    const tool = { cwlVersion: 'v1.2', class: 'CommandLineTool', baseCommand: ['sh', '-c', script], inputs: {}, outputs: {}, ...streams };
    writeFileSync(join(own.folder, name), JSON.stringify(tool));
  };
  const FILL = 'head -c 400000000 /dev/zero';
  const FILLERS = {
    'and fails': `${FILL} > large`,
    'and says that all is well': `${FILL} > large; exit 0`,
    'and stays': `${FILL} > large; exec sleep 1000`,
    'with many small files': 'i=0; while i=$((i+1)); do head -c 20000 /dev/zero > f$i || exit; done',
    'with a file that has no name': `exec 3> large; rm large; ${FILL} >&3; exec sleep 1000`,
    'in its scratch directory': `${FILL} > "$TMPDIR/large"`,
    'by its streams': FILL,
  };

  it('of 96 MB is filled by tools in many ways: each run fails with DISK_FULL, everything is alive, another run ends well and the next one begins', async () => {
    await open('96m');
    const gate = own.gate('go');
    const runId = (await within('weft', 'run', '--detach', 'waits.cwl', '--go', gate.path).ended).stdout.trim();
    const following = within('weft', 'attach', '--outdir', join(own.folder, 'other'), runId);
    await following.says(/started/);
    const supervisor = own.pid('supervisor');
    for (const [how, script] of Object.entries(FILLERS)) {
      write('fill.cwl', script, { stdout: 'out', stderr: 'err' });
      const filling = await within('weft', 'run', '--no-cache', '--outdir', own.folder, 'fill.cwl').ended;
      expect([how, filling.code, filling.stderr]).toEqual([
        how,
        1,
        expect.stringMatching(/what it made takes \d\d.\d MiB.* the disk of .* MiB of 96.0 MiB free; weft keeps 9.6 MiB/),
      ]);
      expect([how, await within('weft', 'run', '--quiet', '--no-cache', '--outdir', own.folder, 'hello.cwl').ended]).toMatchObject([
        how,
        { code: 0 },
      ]);
    }
    // A log is cut before it keeps tasks from beginning, and fails nothing.
    write('noise.cwl', 'yes all is well | head -c 400000000');
    expect(await within('weft', 'run', '--quiet', '--no-cache', '--outdir', own.folder, 'noise.cwl').ended).toMatchObject({ code: 0 });
    expect(await within('weft', 'run', '--quiet', '--no-cache', '--outdir', own.folder, 'hello.cwl').ended).toMatchObject({ code: 0 });
    expect(Object.keys(own.pids()).sort()).toEqual(['redis', 'scheduler', 'step-runner', 'supervisor']);
    expect(own.pid('supervisor')).toBe(supervisor);
    gate.open();
    expect(await following.ended).toMatchObject({ code: 0 });
  });
});
