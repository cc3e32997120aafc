import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeTemporaryFolder } from './temporary-folder.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'weft-temporary-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('is made below TMPDIR, for its owner alone', () => {
  const made = makeTemporaryFolder('x-', folder);
  expect([dirname(made), statSync(made).mode & 0o777]).toEqual([folder, 0o700]);
});

it.each([
  ['gone', 'it does not exist'],
  ['file', 'it is no directory'],
  ['file/below', 'it is no directory'],
])('TMPDIR is %s: one sentence says so, and what to do', (name, reason) => {
  writeFileSync(join(folder, 'file'), '');
  const said = `no temporary folder can be made in ${join(folder, name)}: ${reason}; set TMPDIR to a directory that you may write`;
  expect(() => makeTemporaryFolder('x-', join(folder, name))).toThrow(expect.objectContaining({ name: 'CommandError', message: said }));
});
