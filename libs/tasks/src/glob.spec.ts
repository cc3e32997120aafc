import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GlobSearch } from './glob.js';

const PATHS = ['.hidden', 'a.txt', 'a[1].txt', 'b.txt', 'd', 'd/.x', 'd/a.txt', 'd/e', 'd/e/f.txt', 'ü.txt', 'x-y', 'x&y', 'A:B'].sort();

function find(pattern: string, paths: readonly string[], isDirectory: (path: string) => boolean = () => true): Promise<string[]> {
  return new GlobSearch({ paths, has: (path) => paths.includes(path), isDirectory }, '/work').find(pattern);
}

/** The definition itself: slow, and right. Of one name; only what the property below puts into patterns. */
function byDefinition(pattern: string, name: string, isStart = true): boolean {
  if (pattern === '') return name === '';
  const [, set] = /^\[(ab|!a|a-b)\]/.exec(pattern) ?? [];
  const rest = pattern.slice(set === undefined ? 1 : set.length + 2);
  const hidden = isStart && name.startsWith('.');
  if (pattern.startsWith('*'))
    return !hidden && (byDefinition(rest, name, false) || (name !== '' && byDefinition(pattern, name.slice(1), false)));
  if (name === '') return false;
  if (set === undefined && !pattern.startsWith('?')) return pattern[0] === name[0] && byDefinition(rest, name.slice(1), false);
  const fits = set === undefined || (set === '!a' ? name[0] !== 'a' : 'ab'.includes(name.charAt(0)));
  return !hidden && fits && byDefinition(rest, name.slice(1), false);
}

describe('GlobSearch', () => {
  it.each([
    ['*.txt', ['a.txt', 'a[1].txt', 'b.txt', 'ü.txt']],
    ['?.txt', ['a.txt', 'b.txt', 'ü.txt']],
    ['[ab].txt', ['a.txt', 'b.txt']],
    ['[!a].txt', ['b.txt', 'ü.txt']],
    ['[^a].txt', ['b.txt', 'ü.txt']],
    ['[a-c].txt', ['a.txt', 'b.txt']],
    ['[[:alpha:]].txt', ['a.txt', 'b.txt']],
    ['x[&-]y', ['x&y', 'x-y']],
    ['x[]-]y', ['x-y']],
    ['a[1].txt', ['a[1].txt']],
    ['a\\[1\\].txt', ['a[1].txt']],
    ['[z', []],
    ['.*', ['.hidden']],
    ['*/*', ['d/a.txt', 'd/e']],
    ['d/*.txt', ['d/a.txt']],
    ['**/f.txt', []],
    ['d/**/f.txt', ['d/e/f.txt']],
    ['./d/../a.txt', ['a.txt']],
    ['d/', ['d']],
    ['/work/d/e', ['d/e']],
    ['.', ['']],
    ['/work', ['']],
    ['A:B', ['A:B']],
    ['nothing', []],
  ])('%s', async (pattern, expected) => {
    expect(await find(pattern, PATHS)).toEqual(expected);
  });

  it.each([
    ['d/*/', ['d/e']],
    ['*/', ['d']],
    ['[d]/', ['d']],
    ['d/', ['d']],
    ['d//', ['d']],
    ['a.txt/', []],
    ['a[1].txt/', []],
    ['?.txt/', []],
    ['./', ['']],
  ])('%s is of directories alone', async (pattern, expected) => {
    expect(await find(pattern, PATHS, (path) => ['d', 'd/e'].includes(path))).toEqual(expected);
  });

  it.each(['/etc/passwd', '..', '../x', 'd/../../x', '/work/../etc', '/workshop/x'])('refuses %s', async (pattern) => {
    await expect(find(pattern, PATHS)).rejects.toThrow('reaches outside the working directory');
  });

  const name = fc
    .string({ unit: fc.constantFrom(...'ab.*?[]!^-\\$(){}|+é'), minLength: 1, maxLength: 6 })
    .filter((text) => text !== '.' && text !== '..');
  it('always finds a file by its own name, whatever characters are in it', async () => {
    await fc.assert(
      fc.asyncProperty(name, async (file) => {
        const escaped = file.replace(/[*?[\]\\]/g, (char) => `\\${char}`);
        expect(await find(escaped, [file])).toEqual([file]);
      }),
    );
  });

  it('finds what a reader of its definition finds', async () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '[ab]', '[!a]', '[a-b]', '.', 'é'), maxLength: 7 });
    const file = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'é'), minLength: 1, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(pattern, file, async (glob, one) => {
        fc.pre(!['', '.', '..'].includes(glob) && !['.', '..'].includes(one));
        expect(await find(glob, [one])).toEqual(byDefinition(glob, one) || glob === one ? [one] : []);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab', 'a'.repeat(255)],
    [`${'*?'.repeat(100)}b`, 'a'.repeat(255)],
    [`${'*[a-z]'.repeat(60)}/x`, `${'a'.repeat(255)}/y`],
    ['['.repeat(4_000), 'a'.repeat(255)],
    ['[!'.repeat(2_000), 'a'.repeat(255)],
    ['[[:a'.repeat(1_000), 'a'.repeat(255)],
    [`${'**'.repeat(2_000)}b`, 'a'.repeat(255)],
  ])('%#: gives up a pattern of many stars', async (pattern, file) => {
    expect(await find(pattern, [file])).toEqual([]);
  });

  it('refuses what is longer than any path', async () => {
    await expect(find('*'.repeat(5_000), ['a'])).rejects.toThrow('a glob of 5000 characters');
  });

  it('never throws a syntax error and never matches what is not there', async () => {
    await fc.assert(
      fc.asyncProperty(name, fc.array(name), async (pattern, files) => {
        for (const match of await find(pattern, files)) expect(files).toContain(match);
      }),
    );
  });

  describe('what all patterns of a task may cost', () => {
    const paths = Array.from({ length: 20_000 }, (_, n) => `${'a'.repeat(60)}${n}`).sort();
    const tree = { paths, has: () => false, isDirectory: () => false };
    /** The least number of comparisons of each path. */
    const CASES: [string, string[], number][] = [
      ['one of many stars', ['*a*a*a*a*a*a*b'], 60],
      ['many that match nothing', Array.from({ length: 50 }, () => '*x'), 50],
      ['many that match all', Array.from({ length: 50 }, () => '*'), 50],
      ['many that stop at the first character', Array.from({ length: 100 }, () => 'x*'), 100],
      ['some of many folders', Array.from({ length: 25 }, () => Array.from({ length: 500 }, () => '*').join('/')), 25],
    ];

    it.each(CASES)('%s: others get the thread meanwhile', async (_, patterns, each) => {
      let turns = 0;
      let done = false;
      const others = (): void => {
        turns += 1;
        if (!done) setImmediate(others);
      };
      setImmediate(others);
      const search = new GlobSearch(tree, '/work');
      const before = turns;
      for (const pattern of patterns) await search.find(pattern);
      done = true;
      const least = Math.floor((each * paths.length) / 500_000);
      expect(least).toBeGreaterThan(0);
      expect(turns - before).toBeGreaterThanOrEqual(least);
    });

    it.each(CASES)('%s: beyond it they are refused', async (_, patterns) => {
      const search = new GlobSearch(tree, '/work', patterns.length * paths.length - 1);
      const all = (async () => {
        for (const pattern of patterns) await search.find(pattern);
      })();
      await expect(all).rejects.toMatchObject({
        code: 'OUTPUT_GLOB',
        message: expect.stringMatching(/too much to look for in the 20000 paths/),
      });
    });
  });
});
