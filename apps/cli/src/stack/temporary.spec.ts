import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshTemporaryDirectory } from './temporary.js';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'weft-temporary-'))));
afterEach(() => rmSync(root, { recursive: true }));

it('is made, and emptied of what earlier services left, but not of what is somebody else’s', async () => {
  await freshTemporaryDirectory(root);
  const path = join(root, 'tmp');
  mkdirSync(join(path, 'weft-left/deep'), { recursive: true });
  writeFileSync(join(path, 'weft-file'), '');
  writeFileSync(join(path, 'notes'), '');
  const emptied = freshTemporaryDirectory(root);
  // A name that an earlier service had can be used at once.
  expect(existsSync(join(path, 'weft-left'))).toBe(false);
  mkdirSync(join(path, 'weft-left'));
  await emptied;
  expect(readdirSync(path).sort()).toEqual(['notes', 'weft-left']);
});
