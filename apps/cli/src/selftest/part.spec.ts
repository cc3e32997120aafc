/** A part of the checks ends whatever it does, and nothing of it stays. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartRun } from './part.js';
import { endAll, processesNaming } from './strays.js';

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-part-'));
  said = [];
});
afterEach(async () => {
  await endAll(() => processesNaming(folder), 0);
  rmSync(folder, { recursive: true });
});

const part = (limitMs = 3_600_000): PartRun => new PartRun({ root: folder, folder, limitMs, say: (line) => said.push(line) });
const sh = (run: PartRun, script: string): Promise<boolean> => run.run('/bin/sh', ['-c', script]);

/** Resolves when the name is there. */
function appears(name: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!existsSync(join(folder, name))) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(folder, look);
    look();
  });
}

it('tells what its programs come to, and has a temporary folder of its own', async () => {
  const run = part();
  expect(await run.within(async () => [await sh(run, 'touch "$TMPDIR/here"'), await sh(run, 'exit 3')])).toEqual([true, false]);
  expect([existsSync(join(folder, 'here')), said, run.ended]).toEqual([true, [], undefined]);
});

it('a program that cannot be started is an error', async () => {
  const run = part();
  await expect(run.within(() => run.run(join(folder, 'gone'), []))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('ended, it takes its whole process group along, and what had left the group', async () => {
  const run = part();
  const done = run.within(() => sh(run, 'sleep 1000 & setsid sh -c "sleep 1000 & touch up; wait" & wait'));
  await appears('up');
  expect(processesNaming(folder).length).toBeGreaterThanOrEqual(4);
  run.end('interrupted');
  expect(await done).toBeUndefined();
  expect([processesNaming(folder), said, run.ended]).toEqual([[], ['interrupted'], 'interrupted']);
});

it('ended, it waits for nothing else and starts nothing more', async () => {
  const run = part();
  const done = run.within(() => new Promise(() => undefined));
  run.end('enough');
  expect(await done).toBeUndefined();
  expect(await sh(run, 'touch more')).toBe(false);
  expect(await run.within(() => Promise.resolve('never asked'))).toBeUndefined();
  expect(existsSync(join(folder, 'more'))).toBe(false);
});

it('its limit ends it, and says so', async () => {
  const run = part(60);
  expect(await run.within(() => sh(run, 'sleep 1000'))).toBeUndefined();
  expect(said).toEqual(['not done after 0.001 min, which is its limit']);
  expect(processesNaming(folder)).toEqual([]);
});

it('what it leaves when it has ended by itself is ended too', async () => {
  const run = part();
  mkdirSync(join(folder, 'cwd'));
  expect(await run.within(() => sh(run, 'cd cwd && (setsid env -i /bin/sleep 1000 >/dev/null 2>&1 &)'))).toBe(true);
  expect(processesNaming(folder)).toEqual([]);
});
