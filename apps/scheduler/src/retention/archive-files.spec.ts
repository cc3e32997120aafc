/** The archive in storage on disk keeps the contract of archived runs. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { LocalStorage, pathToFileUri } from '@weft/storage';
import { createFakeRunStore, FakeRunStoreData, runArchiveContract } from '@weft/testing';
import { removeStaged, StorageArchiveFiles } from './archive-files.js';

describe('an archive on disk', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-archive-spec-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const files = (): StorageArchiveFiles => new StorageArchiveFiles(new LocalStorage(), `${pathToFileUri(folder)}/archive/`);

  runArchiveContract(async () => ({
    files: files(),
    open: (isArchived) => {
      const data = new FakeRunStoreData();
      data.isArchived = isArchived;
      return createFakeRunStore(data);
    },
    close: async () => undefined,
  }));

  it('removes what a program had staged that is gone, and nothing of those that live', async () => {
    const gone = spawnSync('true').pid;
    const name = (pid: number): string => join(tmpdir(), `weft-archive-${pid}-${basename(folder)}`);
    const staged = [gone, process.pid, process.ppid].map(name);
    for (const path of staged) await writeFile(path, '');
    const before = new Date(Date.now() - 86_400_000);
    for (const path of [name(gone), name(process.ppid)]) await utimes(path, before, before);
    await removeStaged();
    expect(staged.map((path) => existsSync(path))).toEqual([false, true, true]);
    await utimes(name(process.pid), before, before);
    await removeStaged();
    expect(staged.map((path) => existsSync(path))).toEqual([false, false, true]);
    await rm(name(process.ppid));
  });

  it('replaces objects, lists what is there and nothing else, and removes', async () => {
    const place = files();
    expect(await place.list('a/')).toEqual([]);
    expect(await place.open('a/b.gz')).toBeUndefined();
    await place.write('a/b.gz', Buffer.from([1, 0, 255]));
    await place.write('a/b.gz', Buffer.from([2, 0, 255, 3]));
    await place.write('a/c', new Uint8Array());
    const stream = await place.open('a/b.gz');
    expect(stream && [...(await buffer(stream))]).toEqual([2, 0, 255, 3]);
    expect(await place.list('a/')).toEqual(['b.gz', 'c']);
    await place.remove('a/b.gz');
    await place.remove('a/b.gz');
    expect(await readdir(join(folder, 'archive/a'))).toEqual(['c']);
  });
});
