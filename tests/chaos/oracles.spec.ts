/** The oracles find what they are for. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leftProcesses, publishedIn } from './oracles.js';
import { lookAt } from './outputs.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-oracles-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('finds a process by its environment, and none once it is gone', async () => {
  const child = spawn('sleep', ['1000'], { env: { ...process.env, WEFT_HOME: folder }, stdio: 'ignore' });
  await new Promise((started) => child.once('spawn', started));
  expect(leftProcesses(folder)).toEqual([`${child.pid} sleep 1000`]);
  const gone = new Promise((done) => child.once('close', done));
  child.kill('SIGKILL');
  await gone;
  expect(leftProcesses(folder)).toEqual([]);
});

it('reads the bytes that outputs lead to', () => {
  const path = join(folder, 'a.txt');
  writeFileSync(path, 'hello\n');
  const file = { class: 'File', basename: 'a.txt', size: 6, location: `file://${path}` };
  const checksum = 'sha1$f572d396fae9206628714fb2ce00f72e94f2258f';
  expect(lookAt({ a: { ...file, checksum } }).problems).toEqual([]);
  expect(lookAt({ a: { ...file, checksum: 'sha1$0' } }).problems).toHaveLength(1);
  expect(lookAt({ a: { ...file, checksum, location: `${file.location}.gone` } }).problems).toHaveLength(1);
  writeFileSync(path, 'jello\n');
  expect(lookAt({ a: { ...file, checksum } }).problems).toHaveLength(1);
});

it('sees what is in a directory, not where it lies', () => {
  const [here, there] = ['here', 'there'].map((name) => mkdtempSync(join(folder, name))) as [string, string];
  const texts = (): string[] => [here, there].map((path) => lookAt({ d: { class: 'Directory', location: `file://${path}` } }).text);
  for (const path of [here, there]) writeFileSync(join(path, 'x'), 'same');
  expect(texts()[0]).toBe(texts()[1]);
  writeFileSync(join(there, 'x'), 'other');
  expect(texts()[0]).not.toBe(texts()[1]);
});

it('knows whose folders outputs lie in', () => {
  const text = JSON.stringify([{ location: 'file:///d/runs/r-1/r-1-4.2/deep/a.txt' }, { location: 'file:///d/runs/r-2/r-2-1.1' }]);
  expect(publishedIn(text, '/d')).toEqual(['r-1-4.2', 'r-2-1.1']);
  expect(publishedIn('null', '/d')).toEqual([]);
});
