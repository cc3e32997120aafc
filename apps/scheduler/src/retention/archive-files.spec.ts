/** The archive in storage on disk keeps the contract of archived runs. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { LocalStorage, pathToFileUri } from '@weft/storage';
import { createFakeRunStore, FakeRunStoreData, runArchiveContract } from '@weft/testing';
import { StorageArchiveFiles } from './archive-files.js';

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
