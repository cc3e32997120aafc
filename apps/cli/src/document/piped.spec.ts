import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipedText, pipedUri } from './piped.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'weft-piped-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** A FIFO into which a shell writes once. */
function fifo(script: string): { path: string; written: Promise<unknown> } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const writer = spawn('/bin/sh', ['-c', `${script} > '${path}'`], { stdio: 'ignore' });
  return { path, written: once(writer, 'exit') };
}

it('what comes through a pipe is read once, however often it is asked for', async () => {
  const { path, written } = fifo('echo class: Workflow');
  const uri = (await pipedUri(path)) ?? '';
  const [first, again] = [pipedText(uri), pipedText(uri)];
  expect(again).toBe(first);
  expect(await first).toBe('class: Workflow\n');
  await written;
});

it('what comes through a pipe is read up to a limit', async () => {
  const { path, written } = fifo(`head -c ${17 * 1024 * 1024} /dev/zero`);
  const uri = (await pipedUri(path)) ?? '';
  await expect(pipedText(uri)).rejects.toThrow(`what comes on ${path} is larger than 16 MiB`);
  await written;
});

it('files, folders and names of nothing are no pipes', async () => {
  writeFileSync(join(folder, 'file'), '');
  expect(await Promise.all(['file', '', 'nothing'].map((name) => pipedUri(join(folder, name))))).toEqual([undefined, undefined, undefined]);
  expect(pipedText('file:///nothing')).toBeUndefined();
});
