import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostCapacity } from './host.js';

const before = process.env['PATH'];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-host-'));
  process.env['PATH'] = folder;
});
afterEach(() => {
  process.env['PATH'] = before;
  rmSync(folder, { recursive: true });
});

const program = (text: string, mode = 0o755): void => writeFileSync(join(folder, 'nvidia-smi'), text, { mode });

it.each<[string, () => void]>([
  ['is not there', () => undefined],
  ['may not be executed', () => program('#!/bin/sh\necho GPU 0: x', 0o644)],
  ['is a folder', () => mkdirSync(join(folder, 'nvidia-smi'))],
  ['would lie below a file', () => (writeFileSync(join(folder, 'file'), ''), void (process.env['PATH'] = join(folder, 'file')))],
  ['needs an interpreter that is not there', () => program('#!/nowhere/sh\n')],
])('a host whose nvidia-smi %s has no GPUs', async (_what, make) => {
  make();
  expect((await hostCapacity({ cores: 1, ramBytes: 1 })).devices).toEqual([]);
});
