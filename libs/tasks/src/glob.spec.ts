import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchGlob } from './glob.js';

const PATHS = ['.hidden', 'a.txt', 'a[1].txt', 'b.txt', 'd', 'd/.x', 'd/a.txt', 'd/e', 'd/e/f.txt', 'ü.txt', 'x-y', 'x&y', 'A:B'];

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

  it('never throws a syntax error and never matches what is not there', () => {
    fc.assert(
      fc.property(name, fc.array(name), (pattern, files) => {
        for (const match of matchGlob(pattern, files, '/work')) expect(files).toContain(match);
      }),
    );
  });
});
