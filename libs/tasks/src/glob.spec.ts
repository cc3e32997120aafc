import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchGlob } from './glob.js';

const PATHS = ['.hidden', 'a.txt', 'a[1].txt', 'b.txt', 'd', 'd/.x', 'd/a.txt', 'd/e', 'd/e/f.txt', 'ü.txt', 'x-y', 'x&y', 'A:B'];

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

describe('matchGlob', () => {
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
  ])('%s', (pattern, expected) => {
    expect(matchGlob(pattern, PATHS, '/work')).toEqual(expected);
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
  ])('%s is of directories alone', (pattern, expected) => {
    expect(matchGlob(pattern, PATHS, '/work', undefined, (path) => ['d', 'd/e'].includes(path))).toEqual(expected);
  });

  it.each(['/etc/passwd', '..', '../x', 'd/../../x', '/work/../etc', '/workshop/x'])('refuses %s', (pattern) => {
    expect(() => matchGlob(pattern, PATHS, '/work')).toThrow('reaches outside the working directory');
  });

  const name = fc
    .string({ unit: fc.constantFrom(...'ab.*?[]!^-\\$(){}|+é'), minLength: 1, maxLength: 6 })
    .filter((text) => text !== '.' && text !== '..');
  it('always finds a file by its own name, whatever characters are in it', () => {
    fc.assert(
      fc.property(name, (file) => {
        const escaped = file.replace(/[*?[\]\\]/g, (char) => `\\${char}`);
        expect(matchGlob(escaped, [file], '/work')).toEqual([file]);
      }),
    );
  });

  it('finds what a reader of its definition finds', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '[ab]', '[!a]', '[a-b]', '.', 'é'), maxLength: 7 });
    const file = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'é'), minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(pattern, file, (glob, one) => {
        fc.pre(!['', '.', '..'].includes(glob) && !['.', '..'].includes(one));
        expect(matchGlob(glob, [one], '/work')).toEqual(byDefinition(glob, one) || glob === one ? [one] : []);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab', 'a'.repeat(255)],
    [`${'*?'.repeat(100)}b`, 'a'.repeat(255)],
    [`${'*[a-z]'.repeat(60)}/x`, `${'a'.repeat(255)}/y`],
    ['['.repeat(4_000), 'a'.repeat(255)],
    [`${'**'.repeat(2_000)}b`, 'a'.repeat(255)],
  ])('%#: gives up a pattern of many stars', (pattern, file) => {
    expect(matchGlob(pattern, [file], '/work')).toEqual([]);
  });

  it('refuses what is longer than any path', () => {
    expect(() => matchGlob('*'.repeat(5_000), ['a'], '/work')).toThrow('a glob of 5000 characters');
  });

  it('never throws a syntax error and never matches what is not there', () => {
    fc.assert(
      fc.property(name, fc.array(name), (pattern, files) => {
        for (const match of matchGlob(pattern, files, '/work')) expect(files).toContain(match);
      }),
    );
  });
});
