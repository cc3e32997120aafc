/** What tasks hold of a disk, on the real one; and that it is let go. */
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutOf } from '../sandbox/sandbox-layout.js';
import { systemDisks } from './disks.js';
import { letGo } from './let-go.js';

const MIB = 1024 ** 2;

let directory: string;
let open: number[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-disks-'));
  open = [];
});
afterEach(() => {
  open.forEach(closeSync);
  rmSync(directory, { recursive: true });
});

/** A file that stays open. */
function write(path: string, mebibytes: number): void {
  const fd = openSync(path, 'wx');
  open.push(fd);
  // No zeros, which some file systems do not store.
  writeSync(fd, Buffer.alloc(mebibytes * MIB, 'text that takes room'));
  fsyncSync(fd);
}

it('a task holds what lies in its directory, also further down, and what it has open without a name', async () => {
  const tasks = ['one', 'two'].map((key) => ({ key, directory: join(directory, key) }));
  for (const task of tasks) mkdirSync(join(task.directory, 'work'), { recursive: true });
  write(join(directory, 'one/work/named'), 2);
  write(join(directory, 'two/gone'), 3);
  unlinkSync(join(directory, 'two/gone'));
  const holdings = await systemDisks.held(tasks);
  expect(holdings.map(({ key, heldBytes }) => [key, Math.round(heldBytes / MIB)])).toEqual([
    ['one', 2],
    ['two', 3],
  ]);
});

it('all that an attempt holds is let go, also where a part of it cannot be', () => {
  const discarded: string[] = [];
  const problems: string[] = [];
  const layout = layoutOf('/sandboxes', 't', 1);
  const discard = (path: string): void => {
    if (path === layout.hostWorkDir) throw new Error('busy');
    discarded.push(path);
  };
  letGo(layout, { discard, onProblem: (text) => problems.push(text) });
  expect(discarded.sort()).toEqual(
    [layout.hostTmpDir, layout.hostInputDir, join(layout.root, 'stdout'), join(layout.root, 'stderr')].sort(),
  );
  expect(problems).toEqual([`cannot remove ${layout.hostWorkDir}`]);
});
