/** Removing runs: what is active, and what another run needs, stays. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CwlObject } from '@weft/plan';
import { createLogger } from '@weft/platform';
import { type RunHeader, partitionOf, UnreadableRunError } from '@weft/run-store';
import { LocalStorage, pathToFileUri } from '@weft/storage';
import { accepted, aRunHeader, createFakeRunStore } from '@weft/testing';
import { RunFolders } from '../retention/run-folders.js';
import { RunRemoval } from './run-removal.js';

const logger = createLogger('test', 'silent');
let root: string;
let store: ReturnType<typeof createFakeRunStore>;
let folders: RunFolders;
let removal: RunRemoval;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weft-removal-'));
  store = createFakeRunStore();
  folders = new RunFolders(new LocalStorage(), `${pathToFileUri(root)}/`, logger);
  removal = new RunRemoval({
    get: async (runId) => {
      const header = await store.reader.get(runId);
      if (!header) throw Object.assign(new Error(`no run ${runId}`), { code: 'NOT_FOUND' });
      return header;
    },
    reader: store.reader,
    folders,
    trimCallCache: undefined,
  });
});
afterEach(async () => {
  await folders.close();
  rmSync(root, { recursive: true, force: true });
});

async function aRun(runId: string, over: Partial<RunHeader> = {}, inputs: CwlObject = {}, outputs: CwlObject = {}): Promise<RunHeader> {
  const header = aRunHeader({ runId, ...over });
  await store.intake.create({ ...header, state: 'pending' }, { ...accepted(runId), inputs });
  const leases = await store.leases.acquire('owner', 600_000);
  const lease = leases.find(({ partition }) => partition === partitionOf(runId));
  if (lease && header.state !== 'running') await store.log.seal(lease, header, 1, { type: 'RunEnded' }, outputs);
  mkdirSync(join(root, 'runs', runId, 't.1'), { recursive: true });
  mkdirSync(join(root, 'runs', runId, 'logs'), { recursive: true });
  for (const name of ['t.1/out', 'logs/t.1.stderr']) writeFileSync(join(root, 'runs', runId, name), 'x');
  return header;
}
const outOf = (runId: string) => ({ class: 'File' as const, location: `${pathToFileUri(root)}/runs/${runId}/t.1/out` });
const isThere = (runId: string, name = 't.1/out'): boolean => existsSync(join(root, 'runs', runId, name));

it('takes a finished run with its files and logs, and leaves others alone', async () => {
  await aRun('r-1', { state: 'succeeded' });
  await aRun('r-2', { state: 'failed' });
  await removal.run('r-1');
  expect([isThere('r-1'), isThere('r-2'), await store.reader.get('r-1')]).toEqual([false, true, undefined]);
  await expect(removal.run('r-1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('refuses one that has not ended, and says what to do', async () => {
  await aRun('r-1', { state: 'running' });
  for (const act of [() => removal.run('r-1'), () => removal.logs('r-1')])
    await expect(act()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining('cancel it first') });
  expect(isThere('r-1')).toBe(true);
});

it.each<[string, Partial<RunHeader>, string]>([
  ['reads it', { state: 'running' }, 'which reads what it published'],
  ['has it among its outputs', { state: 'succeeded' }, 'remove that one first'],
])('refuses one while another %s', async (_how, over, why) => {
  await aRun('r-1', { state: 'succeeded' });
  await folders.pin({ f: outOf('r-1') });
  await aRun('r-2', over, { f: outOf('r-1') }, { same: outOf('r-1') });
  await expect(removal.run('r-1')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(why) });
  expect(isThere('r-1')).toBe(true);
});

it('takes one that another has read and is done with', async () => {
  await aRun('r-1', { state: 'succeeded' });
  await folders.pin({ f: outOf('r-1') });
  await aRun('r-2', { state: 'succeeded' }, { f: outOf('r-1') }, { own: outOf('r-2') });
  await removal.run('r-1');
  expect([isThere('r-1'), isThere('r-2')]).toEqual([false, true]);
});

it('says which run cannot be read, where that may need what is to be removed', async () => {
  await aRun('r-1', { state: 'succeeded' });
  await folders.pin({ f: outOf('r-1') });
  await aRun('r-2', { state: 'succeeded' });
  const object = store.reader.object.bind(store.reader);
  store.reader.object = async (runId, which) => {
    if (runId === 'r-2') throw new UnreadableRunError(runId, 'it is garbage');
    return object(runId, which);
  };
  await expect(removal.run('r-1')).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringMatching(/r-2, which cannot be read/),
  });
  expect(isThere('r-1')).toBe(true);
});

it('takes whole logs alone', async () => {
  await aRun('r-1', { state: 'failed' });
  await removal.logs('r-1');
  expect([isThere('r-1'), isThere('r-1', 'logs/t.1.stderr')]).toEqual([true, false]);
});

it('says that there is no call cache to be trimmed', async () => {
  await expect(removal.callCache(0)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
});
