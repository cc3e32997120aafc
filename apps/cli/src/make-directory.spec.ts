import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeWithParents } from './make-directory.js';

describe('a directory with those above it', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'weft-make-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  it('is made for this user alone, and made again without a word', () => {
    const directory = join(root, 'a/b/c');
    makeWithParents(directory);
    makeWithParents(directory);
    expect([root, join(root, 'a'), join(root, 'a/b'), directory].map((one) => statSync(one).mode & 0o777)).toEqual(Array(4).fill(0o700));
  });

  // Before or after any call of ours, another command makes one of the directories with all above it.
  const moments = [0, 1, 2, 3, 4].flatMap((call) =>
    ['a', 'a/b', 'a/b/c'].flatMap((made) => [true, false].map((before) => ({ call, made, before }))),
  );
  it.each(moments)('is there where another makes $made at call $call (before it: $before)', ({ call, made, before }) => {
    let calls = 0;
    makeWithParents(join(root, 'a/b/c'), (one) => {
      const isNow = calls++ === call;
      const meanwhile = (): unknown => isNow && mkdirSync(join(root, made), { recursive: true });
      if (before) meanwhile();
      try {
        mkdirSync(one);
      } finally {
        meanwhile();
      }
    });
    expect(existsSync(join(root, 'a/b/c'))).toBe(true);
  });

  it.each([
    ['/proc/nowhere/x', /ENOENT/],
    ['file/x', /ENOTDIR/],
    ['dangling/x', /EEXIST|ENOENT/],
    ['file', /EEXIST/],
  ])('is refused at %s', (path, why) => {
    writeFileSync(join(root, 'file'), '');
    symlinkSync('nowhere', join(root, 'dangling'));
    expect(() => makeWithParents(path.startsWith('/') ? path : join(root, path))).toThrow(why);
  });
});
