/**
 * One home on two hosts. The other host is mount, PID, network and UTS namespaces of its own, and has the home through a file system in between
 * (FUSE): it sees the files, and neither the sockets nor the processes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { jest } from '@jest/globals';
import { OwnHome, Running } from '../e2e/own-home.js';
import { ROOT } from '../e2e/stack.js';

jest.setTimeout(120_000);

const unavailable = sharedHomeUnavailable();
const maybe = unavailable === undefined ? describe : describe.skip;
if (unavailable !== undefined) process.stderr.write(`SKIPPED one home on two hosts: ${unavailable}\n`);

function sharedHomeUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root (namespaces, FUSE)';
  if (!existsSync('/dev/fuse')) return 'needs /dev/fuse';
  for (const program of ['bindfs', 'unshare', 'nsenter', 'fusermount']) {
    if (spawnSync(program, ['-V'], { stdio: 'ignore' }).error) return `needs '${program}' (Debian packages bindfs, util-linux, fuse)`;
  }
  return undefined;
}

/** Another host: a process that holds its namespaces until the test ends it. */
class OtherHost {
  private constructor(
    private readonly pid: number,
    private readonly own: OwnHome,
    private readonly end: () => Promise<void>,
  ) {}

  static async start(name: string, own: OwnHome): Promise<OtherHost> {
    const through = mkdtempSync(join(tmpdir(), 'weft-through-'));
    const mounted = spawnSync('bindfs', [own.home, through], { encoding: 'utf8' });
    if (mounted.status !== 0) throw new Error(`bindfs: ${mounted.stderr}`);
    const script = `mount -t proc proc /proc && hostname ${name} && mount --bind '${through}' '${own.home}' && echo ready && exec cat`;
    const holder = spawn(
      'unshare',
      ['--mount', '--pid', '--net', '--uts', '--fork', '--kill-child', '--propagation', 'private', 'sh', '-c', script],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    const ended = new Promise<void>((done) => holder.once('exit', () => done()));
    await new Promise<void>((done, fail) => {
      createInterface({ input: holder.stdout }).once('line', () => done());
      holder.once('exit', () => fail(new Error('no other host')));
    });
    const [child = ''] = spawnSync('cat', [`/proc/${holder.pid}/task/${holder.pid}/children`], { encoding: 'utf8' })
      .stdout.trim()
      .split(' ');
    return new OtherHost(Number(child), own, async () => {
      holder.stdin.end();
      await ended;
      spawnSync('fusermount', ['-u', '-z', through]);
      rmSync(through, { recursive: true, force: true });
    });
  }

  start(args: string[]): Running {
    const within = ['--target', String(this.pid), '--mount', '--pid', '--net', '--uts', '--'];
    const own = Object.entries(process.env).filter(([name]) => !/^(WEFT_|REDIS_URL$|NODE_OPTIONS$|CI$)/.test(name));
    return new Running(
      spawn(
        'nsenter',
        [...within, 'sh', '-c', 'cd "$0" && exec "$@"', this.own.folder, process.execPath, join(ROOT, 'dist/cli.mjs'), ...args],
        {
          env: { ...Object.fromEntries(own), WEFT_HOME: this.own.home, WEFT_LINGER_S: '600', WEFT_PRIVATE: '0' },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ),
    );
  }

  weft(...args: string[]) {
    return this.start(args).ended;
  }

  /** Everything of it dies at once, as in a power cut. */
  stop(): Promise<void> {
    return this.end();
  }
}

maybe('one home on two hosts', () => {
  let own: OwnHome;
  let other: OtherHost;
  beforeEach(async () => {
    expect(spawnSync(join(ROOT, 'weft'), ['--version'], { stdio: 'ignore' }).status).toBe(0);
    own = new OwnHome();
    mkdirSync(own.home);
    other = await OtherHost.start('node7', own);
  });
  afterEach(async () => {
    await other.stop();
    await own.remove();
  });

  it('gives the second a state of its own, tells both where runs are, and goes on after each has ended', async () => {
    const here = (await own.weft('run', '--quiet', '--detach', 'hello.cwl')).stdout.trim();
    expect(await own.weft('attach', '--quiet', here)).toMatchObject({ code: 0 });
    const before = own.pids();
    const second = await other.weft('run', '--quiet', '--outdir', 'there', 'hello.cwl');
    expect(second).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/is in use by host \S+ .*works in a state of its own, \S+\/hosts\/node7/),
    });
    expect(readdirSync(join(own.home, 'hosts'))).toEqual(['node7']);
    // Nothing of the first has been touched.
    expect(own.pids()).toEqual(before);
    expect(await own.weft('run', '--quiet', 'hello.cwl')).toMatchObject({ code: 0, stderr: '' });

    const asked = await other.weft('attach', here);
    expect(asked).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`run ${here} is not in .*, but in the state of host `)),
    });
    expect((await own.weft('ls')).stderr).toMatch(/runs of other hosts: .*hosts\/node7 \(host node7/);

    // Each ends its own.
    expect((await other.weft('down')).stderr).toMatch(/weft: stopped\n.* is in use by host .*`weft down --force`/);
    expect(own.pids()).toEqual(before);
    // The second finds its runs again, although the home's own state is free now.
    expect((await own.weft('down')).code).toBe(0);
    expect((await other.weft('ls')).stdout).toMatch(/succeeded/);
    expect((await other.weft('ls')).stdout).not.toContain(here);
  });

  it('takes the state of a container that is gone, once it was watched, by a copy of its files', async () => {
    const there = (await other.weft('run', '--quiet', '--detach', 'hello.cwl')).stdout.trim();
    expect(await other.weft('attach', '--quiet', there)).toMatchObject({ code: 0 });
    await other.stop();
    const ls = own.start(['ls']);
    await ls.says(/may be in use by host node7 .*watching for up to 20 s/);
    expect(await ls.ended).toMatchObject({ code: 0, stdout: expect.stringContaining(there) });
    expect(existsSync(join(own.home, 'redis.before'))).toBe(true);
  });

  it('ends a stack that another has followed', async () => {
    const up = own.start(['up']);
    await new Promise<void>((done) =>
      createInterface({ input: up.child.stdout ?? process.stdin }).on('line', (line) => line.includes('logs') && done()),
    );
    const { redis = 0 } = own.pids();
    expect(await other.weft('down', '--force')).toMatchObject({ code: 0 });
    const { code, stderr } = await up.ended;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/was removed, or another stack has taken it/)]);
    await OwnHome.gone(redis);
    expect(own.pids()).toEqual({});
  });
});
