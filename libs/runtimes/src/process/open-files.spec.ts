import { closeSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFilesBelow } from './open-files.js';
import { ProcessRuntime } from './process-runtime.js';

let directory: string;
const open: number[] = [];
beforeEach(() => (directory = realpathSync(mkdtempSync(join(tmpdir(), 'weft-open-')))));
afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
  rmSync(directory, { recursive: true });
});
const file = (name: string): string => {
  writeFileSync(join(directory, name), '');
  return join(directory, name);
};
const openFile = (name: string): string => {
  open.push(openSync(file(name), 'r+'));
  return join(directory, name);
};

it('open files are seen below a directory, and none beside it that only begins like it', () => {
  for (const name of ['work/deep', 'work2']) mkdirSync(join(directory, name), { recursive: true });
  file('work/closed');
  const held = [openFile('work/a'), openFile('work/deep/b')];
  openFile('work2/c');
  expect([...openFilesBelow(join(directory, 'work'))].sort()).toEqual(held);
});

it('open files of a weak runtime: it says what something has open', async () => {
  const held = openFile('a');
  const runtime = new ProcessRuntime({ containment: ['group'] });
  try {
    expect([...(await runtime.heldOpen(directory))]).toEqual([held]);
  } finally {
    await runtime.close();
  }
});
