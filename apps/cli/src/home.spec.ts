import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { homeOf, homeOfHost, prepareHome, socketPath } from './home.js';
import { refuseForeignHome } from './home-owner.js';

describe('homeOf', () => {
  it('keeps everything below WEFT_HOME', () => {
    const home = homeOf({ WEFT_HOME: '/srv/weft' });
    expect(home).toEqual({
      root: '/srv/weft',
      run: '/srv/weft/run',
      spare: '/srv/weft/sockets',
      claims: '/srv/weft/lock',
      redis: '/srv/weft/redis',
      logs: '/srv/weft/logs',
      programs: '/srv/weft/programs',
      sandboxes: '/srv/weft/sandboxes',
      cache: '/srv/weft/sandboxes/.cache',
      dataUri: 'file:///srv/weft/data/',
    });
  });

  it('moves the sockets of a long WEFT_HOME to a short private directory, the same one every time', () => {
    const env = { WEFT_HOME: join('/srv', 'x'.repeat(120)) };
    const home = homeOf(env);
    expect(Buffer.byteLength(`${socketPath(home, 'scheduler')}.4194304`)).toBeLessThanOrEqual(107);
    expect(homeOf(env).run).toBe(home.run);
    expect(homeOf({ WEFT_HOME: join('/srv', 'y'.repeat(120)) }).run).not.toBe(home.run);
  });

  it('is the same by whatever name, and whatever TMPDIR is', () => {
    const root = mkdtempSync(join(tmpdir(), 'weft-home-'));
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'link'));
    for (const name of ['', 'not/there/yet', 'x'.repeat(120)]) {
      const homes = ['real', 'link', 'link/../real'].map((way) => homeOf({ WEFT_HOME: `${root}/${way}/${name}`, TMPDIR: `/tmp/${way}` }));
      expect(new Set(homes.map((home) => JSON.stringify(home))).size).toBe(1);
      expect(homes[0]?.root).toBe(resolve(root, 'real', name));
    }
    rmSync(root, { recursive: true });
  });

  it('gives a host a home of its own below, and never the same sandboxes', () => {
    const env = { WEFT_HOME: '/srv/weft', WEFT_SANDBOX_ROOT: '/scratch' };
    const own = homeOfHost(homeOf(env), 'node 7/..', 2, env);
    expect(own).toMatchObject({
      root: '/srv/weft/hosts/node-7-..-2',
      sandboxes: expect.stringMatching(/^\/scratch\/hosts\/node-7----2-[0-9a-f]{8}$/) as unknown,
    });
    expect(homeOfHost(homeOf({ WEFT_HOME: '/srv/weft' }), 'n', 1, {}).sandboxes).toBe('/srv/weft/hosts/n/sandboxes');
    const [a, b] = ['n.a', 'n-a'].map((name) => homeOfHost(homeOf(env), name, 1, env).sandboxes);
    expect(a).not.toBe(b);
    expect(`${a}${b}`).not.toContain('.');
  });
});

describe('prepareHome', () => {
  it('makes the socket directory private', () => {
    const root = mkdtempSync(join(tmpdir(), 'weft-home-'));
    const home = homeOf({ WEFT_HOME: join(root, 'new') });
    prepareHome(home);
    expect(statSync(home.run).mode & 0o777).toBe(0o700);
    rmSync(root, { recursive: true });
  });
});

describe('refuseForeignHome', () => {
  const own = process.getuid?.() ?? 0;
  const passwd = `root:x:0:0::/root:/bin/sh\nann:x:${own}:${own}::/home/ann:/bin/sh\n`;
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'weft-home-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  it('names the file that somebody else has left in the way, and the command that gives it back', () => {
    mkdirSync(join(root, 'redis'));
    writeFileSync(join(root, 'redis/appendonly.aof'), '');
    expect(() => refuseForeignHome({ root }, { uid: own, env: {}, passwd })).not.toThrow();
    expect(() => refuseForeignHome({ root }, { uid: own + 1, env: {}, passwd })).toThrow(
      new RegExp(`^${root}/redis belongs to \\S.*\`sudo chown -R ${own + 1} ${root}\``),
    );
  });

  it('lets nobody be hindered by a directory of somebody else that weft does not need', () => {
    mkdirSync(join(root, 'notes'));
    expect(() => refuseForeignHome({ root }, { uid: own + 1, env: {}, passwd: '' })).not.toThrow(own === 0 ? undefined : /notes/);
  });
});
