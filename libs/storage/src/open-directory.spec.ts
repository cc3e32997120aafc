/** What a task does between two looks of the runner: a name is another's by then. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotPlainError, openBeneath, openDirectoryBeneath } from './open-directory.js';
import { publishSettled } from './publish.js';

let root: string;
const at = (...names: string[]): string => join(root, ...names);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weft-open-'));
  for (const name of ['work', 'work/d', 'outside']) mkdirSync(at(name));
  writeFileSync(at('outside/secret'), 'secret');
  writeFileSync(at('work/d/own'), 'own');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('opening beneath a directory', () => {
  it('holds a link at the end of a path, and not what it leads to', () => {
    symlinkSync('../../outside/secret', at('work/d/link'));
    const entry = openBeneath(at('work'), '/d/link');
    expect(entry.stats.isSymbolicLink()).toBe(true);
    expect(() => entry.read(0, 100)).toThrow(new NotPlainError('a symbolic link', 'link'));
    entry.close();
  });

  it('follows no link on the way', () => {
    symlinkSync('../outside', at('work/way'));
    const refused = new NotPlainError('a symbolic link', 'way');
    expect(() => openBeneath(at('work'), '/way/secret')).toThrow(refused);
    expect(() => openDirectoryBeneath(at('work'), '/way')).toThrow(refused);
    expect(() => openDirectoryBeneath(at('work'), '/way/made', { make: true })).toThrow(refused);
  });

  it('follows no link at the top, unless told to', () => {
    symlinkSync('work', at('top'));
    expect(() => openBeneath(at('top'), '/d/own')).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    const entry = openBeneath(at('top'), '/d/own', { follow: true });
    expect(entry.read(0, 100).toString()).toBe('own');
    entry.close();
  });

  it('does not wait for who writes into a pipe', () => {
    expect(spawnSync('mkfifo', [at('work/pipe')]).status).toBe(0);
    const entry = openBeneath(at('work'), '/pipe');
    expect(() => entry.read(0, 100)).toThrow(new NotPlainError('a named pipe (FIFO)', 'pipe'));
    entry.close();
  });

  it('has what it opened, whatever takes its name', () => {
    const entry = openBeneath(at('work'), '/d/own');
    symlinkSync('../../outside/secret', at('work/d/new'));
    renameSync(at('work/d/new'), at('work/d/own'));
    expect(entry.read(0, 100).toString()).toBe('own');
    entry.close();
  });
});

describe('publishing what is held', () => {
  it.each([
    ['another file', () => writeFileSync(at('work/new'), 'another')],
    ['a link', () => symlinkSync('../../outside/secret', at('work/new'))],
  ])('publishes it, also where %s has taken its name', async (_, make) => {
    const entry = openBeneath(at('work'), '/d/own');
    make();
    renameSync(at('work/new'), at('work/d/own'));
    await publishSettled(entry, at('published/own'), { closed: true, ownLinks: 0 });
    entry.close();
    expect(readFileSync(at('published/own'), 'utf8')).toBe('own');
  });

  it.each([
    ['linked', { closed: true, ownLinks: 0 }],
    ['copied', { closed: false, ownLinks: 0 }],
  ])('makes it nobody’s to write, with nobody’s rights but the caller’s: %s', async (_, how) => {
    const modes = [0o6755, 0o1777, 0o644, 0o600];
    for (const [n, mode] of modes.entries()) {
      writeFileSync(at(`work/${n}`), '');
      chmodSync(at(`work/${n}`), mode);
      const entry = openBeneath(at('work'), `/${n}`);
      await publishSettled(entry, at(`published/${n}`), how);
      entry.close();
    }
    const seen = modes.map((_mode, n) => statSync(at(`published/${n}`)).mode & 0o7777);
    expect(seen).toEqual([0o555, 0o555, 0o444, 0o400]);
  });
});
