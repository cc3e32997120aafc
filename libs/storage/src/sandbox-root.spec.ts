import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseSandboxRoot, makeSandboxRoot, type Place, type SandboxRootQuestion, sandboxRootOf } from './sandbox-root.js';

const ROOT: Place = { uid: 0, device: 1, mount: '/', noexec: false, writable: false };
const OF_TMP: Place = { ...ROOT, writable: true };
const MINE: Place = { ...ROOT, uid: 7, writable: true };
const HOME_DISK: Place = { ...MINE, device: 2, mount: '/home' };

/** Directories by their path; others are as the nearest one above. */
function machine(places: Record<string, Place>): SandboxRootQuestion['look'] {
  return (path) => {
    for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
      const found = places[at];
      if (found !== undefined) return found;
    }
  };
}

const choose = (home: string, places: Record<string, Place>, more: Partial<SandboxRootQuestion> = {}): string =>
  chooseSandboxRoot({ home, uid: 7, look: machine({ '/': ROOT, '/var/tmp': OF_TMP, ...places }), inUse: () => false, ...more });

const OUTSIDE = /^\/var\/tmp\/weft-7-[0-9a-f]{16}$/;

describe('where sandboxes lie', () => {
  it.each<[string, string, Record<string, Place>, Partial<SandboxRootQuestion>, string | RegExp]>([
    ['in a home without dots', '/srv/weft', {}, {}, '/srv/weft/sandboxes'],
    ['outside of one with dots, on the same mount', '/home/u/.weft', { '/home/u': MINE }, {}, OUTSIDE],
    ['outside where the user has a dot, too', '/home/first.last/.weft', { '/home/first.last': MINE }, {}, OUTSIDE],
    [
      'beside the home where home directories have a disk',
      '/home/u/.weft',
      { '/home/u': HOME_DISK },
      {},
      /^\/home\/u\/weft-sandboxes-[0-9a-f]{16}$/,
    ],
    [
      'outside all the same where nothing beside it is without dots',
      '/home/first.last/.weft',
      { '/home/first.last': HOME_DISK },
      {},
      OUTSIDE,
    ],
    [
      'where the results lie, not where the home does',
      '/home/u/.weft',
      { '/home/u': HOME_DISK, '/data': { ...MINE } },
      { data: '/data/results' },
      OUTSIDE,
    ],
    [
      'beside the home where /var/tmp is the same disk mounted again: no link leads there',
      '/home/u/.weft',
      { '/home/u': MINE, '/var/tmp': { ...OF_TMP, mount: '/var/tmp' } },
      {},
      /^\/home\/u\/weft-sandboxes-/,
    ],
    [
      'not where no program may be run',
      '/home/first.last/.weft',
      { '/home/first.last': MINE, '/var/tmp': { ...OF_TMP, noexec: true } },
      {},
      '/home/first.last/.weft/sandboxes',
    ],
    [
      'not beside a home in a directory of somebody else',
      '/home/u/.weft',
      { '/home/u': { ...HOME_DISK, uid: 8 }, '/var/tmp': ROOT },
      {},
      '/home/u/.weft/sandboxes',
    ],
    [
      'in a home that is mounted itself, as into a container: the engine finds nothing else',
      '/root/.weft',
      { '/root': MINE, '/root/.weft': { ...HOME_DISK, mount: '/root/.weft' } },
      {},
      '/root/.weft/sandboxes',
    ],
    [
      'in the home while an earlier version has sandboxes there',
      '/home/u/.weft',
      { '/home/u': MINE },
      { inUse: () => true },
      '/home/u/.weft/sandboxes',
    ],
  ])('%s', (_what, home, places, more, expected) => {
    const chosen = choose(home, places, more);
    if (typeof expected === 'string') expect(chosen).toBe(expected);
    else expect(chosen).toMatch(expected);
    expect(choose(home, places, more)).toBe(chosen);
  });

  it('is another one for each home', () => {
    const places = { '/home/u': MINE };
    expect(choose('/home/u/.weft', places)).not.toBe(choose('/home/u/.weft2', places));
  });

  it('asks this machine', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-root-'));
    expect(sandboxRootOf(join(folder, 'plain'))).toBe(join(folder, 'plain/sandboxes'));
    const dotted = join(folder, 'with.dot');
    expect(sandboxRootOf(dotted)).not.toContain('.');
    mkdirSync(join(dotted, 'sandboxes/r-1-1.1'), { recursive: true });
    expect(sandboxRootOf(dotted)).toBe(join(dotted, 'sandboxes'));
    rmSync(folder, { recursive: true });
  });
});

describe('the directory itself', () => {
  let shared: string;
  beforeEach(() => {
    shared = mkdtempSync(join(tmpdir(), 'weft-shared-'));
    chmodSync(shared, 0o1777);
  });
  afterEach(() => rmSync(shared, { recursive: true }));

  it('is private where others may write beside it', () => {
    const path = join(shared, 'weft');
    mkdirSync(path, { mode: 0o777 });
    chmodSync(path, 0o777);
    makeSandboxRoot(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('is refused where it is a link that somebody put there', () => {
    mkdirSync(join(shared, 'theirs'));
    symlinkSync(join(shared, 'theirs'), join(shared, 'weft'));
    expect(() => makeSandboxRoot(join(shared, 'weft'))).toThrow(/made by another user, or is a link.*WEFT_SANDBOX_ROOT/);
  });
});
