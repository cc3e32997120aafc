/** Copies of inputs, for a task that changes them and for a process that could. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyWritable } from './copy-input.js';
import { placeShielded } from './shield.js';

let root: string;
const at = (...names: string[]): string => join(root, ...names);
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'weft-copy-')));
  for (const name of ['input', 'input/deep', 'elsewhere']) mkdirSync(at(name));
  writeFileSync(at('elsewhere/target'), 'target');
  writeFileSync(at('input/run'), 'bytes');
  chmodSync(at('input/run'), 0o6755);
  symlinkSync('target', at('elsewhere/link'));
  symlinkSync('../../elsewhere/link', at('input/deep/link'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe.each([
  ['a copy', copyWritable, 0o755],
  ['a copy beside the original', placeShielded, 0o555],
])('%s', (_what, copy, mode) => {
  it('asks for every link, by real path, and holds what it leads to', async () => {
    const asked: string[] = [];
    await copy(at('input'), at('to'), (real) => Promise.resolve(void asked.push(real)));
    expect(asked).toEqual([at('elsewhere/target')]);
    expect(readFileSync(at('to/deep/link'), 'utf8')).toBe('target');
  });

  it('has nothing of what may not be asked for', async () => {
    await expect(copy(at('input'), at('to'), () => Promise.reject(new Error('not there')))).rejects.toThrow('not there');
    expect(existsSync(at('to/deep/link'))).toBe(false);
  });

  it('gives nobody another’s rights', async () => {
    await copy(at('input'), at('to'), () => Promise.resolve());
    expect(statSync(at('to/run')).mode & 0o7777).toBe(mode);
  });
});
