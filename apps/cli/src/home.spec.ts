import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf, prepareHome, socketPath } from './home.js';

describe('homeOf', () => {
  it('keeps everything below WEFT_HOME', () => {
    const home = homeOf({ WEFT_HOME: '/srv/weft' });
    expect(home).toEqual({
      root: '/srv/weft',
      run: '/srv/weft/run',
      redis: '/srv/weft/redis',
      logs: '/srv/weft/logs',
      sandboxes: '/srv/weft/sandboxes',
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
