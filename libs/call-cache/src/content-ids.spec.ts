import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage, pathToFileUri, type StoredEntry, type StoredStat } from '@weft/storage';
import { ContentIdMemory, LIMITS } from './content-ids.js';
import { ThreadedFileHasher } from './file-hasher.js';

const sha1 = (text: string): string => `sha1$${createHash('sha1').update(text).digest('hex')}`;

describe('what stands for the bytes of a file', () => {
  const hasher = new ThreadedFileHasher();
  let directory: string;
  let hashed: string[];
  let nowMs: number;
  /** How far the clock is ahead of the files' times: what was written is long ago. */
  let aheadMs: number;
  let contents: ContentIdMemory;
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return pathToFileUri(join(directory, name));
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-contents-'));
    hashed = [];
    nowMs = 0;
    aheadMs = 60_000;
    const counting = {
      sha1: (path: string, size: number) => {
        hashed.push(path);
        return hasher.sha1(path, size);
      },
      close: () => hasher.close(),
    };
    contents = new ContentIdMemory(new LocalStorage({ now: () => Date.now() + aheadMs }), counting, () => nowMs);
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  afterAll(() => hasher.close());

  it.each([10, 100_000])('is its SHA-1, computed once for %d bytes', async (size) => {
    const uri = write('f', 'x'.repeat(size));
    const ids = await Promise.all([contents.file(uri), contents.file(uri)]);
    expect([...ids, await contents.file(uri)]).toEqual(new Array(3).fill(sha1('x'.repeat(size))));
    expect(hashed.length).toBe(1);
    write('f', 'y'.repeat(size));
    utimesSync(join(directory, 'f'), 1, 1);
    expect(await contents.file(uri)).toBe(sha1('y'.repeat(size)));
  });

  it.each<[string, (path: string, other: string) => void]>([
    ['cp -p of another file onto it', (path, other) => void spawnSync('cp', ['-p', other, path])],
    ['cp -p and mv of another file', (path, other) => (spawnSync('cp', ['-p', other, `${other}2`]), renameSync(`${other}2`, path))],
    ['bytes written in place, and its time set back', (path) => (writeFileSync(path, 'two'), utimesSync(path, 1, 1))],
  ])('is another after %s', async (_name, replace) => {
    const [path, other] = [join(directory, 'f'), join(directory, 'other')];
    const uri = write('f', 'one');
    write('other', 'two');
    for (const each of [path, other]) utimesSync(each, 1, 1);
    for (const ahead of [60_000, 0]) {
      aheadMs = ahead;
      expect(await contents.file(uri)).toBe(sha1('one'));
      replace(path, other);
      expect(await contents.file(uri)).toBe(sha1('two'));
      write('f', 'one');
      utimesSync(path, 1, 1);
    }
  });

  it('is read again for each who asks while its file system’s clock may stand still, one read at a time', async () => {
    aheadMs = 0;
    const uri = write('f', 'one');
    const [first, ...others] = await Promise.all([1, 2, 3, 4].map(() => contents.file(uri)));
    expect([first, ...new Set(others)]).toEqual([sha1('one'), sha1('one')]);
    // The first, and one for all who asked while that was under way.
    expect(hashed.length).toBe(2);
    await contents.file(uri);
    expect(hashed.length).toBe(3);
    aheadMs = 60_000;
    await contents.file(uri);
    await contents.file(uri);
    expect(hashed.length).toBe(4);
  });

  it('is nothing for a large file that was changed a moment ago, and its version later', async () => {
    const uri = write('f', '');
    spawnSync('truncate', ['-s', '2G', join(directory, 'f')]);
    aheadMs = 0;
    expect(await contents.file(uri)).toBeUndefined();
    aheadMs = 60_000;
    const id = await contents.file(uri);
    expect(id).toMatch(/^version /);
    utimesSync(join(directory, 'f'), 1, 1);
    expect(await contents.file(uri)).not.toBe(id);
    expect(hashed).toEqual([]);
  });

  it('is not remembered of a version that was gone when it had been read', async () => {
    const path = join(directory, 'f');
    const uri = write('f', 'one');
    const during = {
      sha1: async (read: string, size: number) => {
        renameSync(path, `${path}-aside`);
        write('f', 'two');
        const found = await hasher.sha1(read, size);
        renameSync(`${path}-aside`, path);
        return found;
      },
      close: () => hasher.close(),
    };
    const files = new LocalStorage({ now: () => Date.now() + 60_000 });
    const before = await files.stat(uri);
    // A file system that keeps the time of change of what is renamed.
    const memory = new ContentIdMemory({ list: (at) => files.list(at), stat: async () => before }, during, () => nowMs);
    const disturbed = new ContentIdMemory({ list: (at) => files.list(at), stat: (at) => files.stat(at) }, during, () => nowMs);
    expect(await memory.file(uri)).toBe(sha1('two'));
    expect(await disturbed.file(uri)).toBe(sha1('two'));
    expect(await disturbed.described(uri, before)).toBe(sha1('two'));
  });

  it('is what was published as the version that is known, and of no other', async () => {
    const uri = write('f', 'published');
    contents.published(uri, 'sha1$stated');
    expect(await contents.file(uri)).toBe(sha1('published'));
    contents.published(uri, 'sha1$stated', 'another version');
    expect(await contents.file(uri)).toBe(sha1('published'));
    const { version } = await new LocalStorage().stat(uri);
    contents.published(uri, 'sha1$stated', version);
    expect(await contents.file(uri)).toBe('sha1$stated');
    write('f', 'Published');
    utimesSync(join(directory, 'f'), 1, 1);
    expect(await contents.file(uri)).toBe(sha1('Published'));
  });

  it('is what was just published, also where that is replaced before anybody looks', async () => {
    const uri = write('f', 'published');
    await contents.justPublished(uri, 'sha1$stated');
    expect(await contents.file(uri)).toBe('sha1$stated');
    await contents.justPublished(uri, 'sha1$stated');
    rmSync(join(directory, 'f'));
    write('f', 'Published');
    utimesSync(join(directory, 'f'), 1, 1);
    expect(await contents.file(uri)).toBe(sha1('Published'));
    rmSync(join(directory, 'f'));
    await contents.justPublished(uri, 'sha1$stated');
    write('f', 'late');
    expect(await contents.file(uri)).toBe(sha1('late'));
  });

  it('is the names and contents of everything below a directory, looked through once per run', async () => {
    mkdirSync(join(directory, 'd/e'), { recursive: true });
    write('d/e/f', 'one');
    const uri = pathToFileUri(join(directory, 'd'));
    const first = await contents.forRun('r-1').of(uri, 'directory');
    expect(await contents.forRun('r-2').of(`${uri}/`, 'directory')).toBe(first);
    const changes: (() => unknown)[] = [() => write('d/e/f', 'two'), () => write('d/e/g', ''), () => mkdirSync(join(directory, 'd/h'))];
    const seen = new Set([first]);
    for (const [index, change] of changes.entries()) {
      change();
      seen.add(await contents.forRun(`r-${index + 3}`).of(uri, 'directory'));
    }
    expect(seen.size).toBe(4);
    // For the tasks that a run begins at about the same time, one look; not for who stores a result.
    expect(await contents.forRun('r-1').of(uri, 'directory')).toBe(first);
    const last = [...seen].at(-1);
    expect(await contents.anew('r-1').of(uri, 'directory')).toBe(last);
    expect(await contents.forRun('r-1').of(uri, 'directory')).toBe(last);
    write('d/e/f', 'three');
    nowMs += 60_000;
    expect(seen).not.toContain(await contents.forRun('r-1').of(uri, 'directory'));
  });

  it('is another where something deep below a directory, or behind a link in it, was replaced with its size and times kept', async () => {
    mkdirSync(join(directory, 'd/e'), { recursive: true });
    write('d/e/f', 'one');
    write('behind', 'one');
    symlinkSync('../behind', join(directory, 'd/link'));
    const uri = pathToFileUri(join(directory, 'd'));
    const ids = new Set<string | undefined>();
    const look = async (): Promise<void> => void ids.add(await contents.anew('r').of(uri, 'directory'));
    for (const name of ['d/e/f', 'behind']) {
      utimesSync(join(directory, name), 1, 1);
      await look();
      write(name, 'two');
      utimesSync(join(directory, name), 1, 1);
      await look();
    }
    expect(ids.size).toBe(3);
  });

  it('is nothing for a directory that has too much in it, or no end', async () => {
    mkdirSync(join(directory, 'd'));
    symlinkSync('.', join(directory, 'd/again'));
    const uri = pathToFileUri(join(directory, 'd'));
    expect(
      await contents
        .forRun('r')
        .of(uri, 'directory')
        .catch(() => undefined),
    ).toBeUndefined();
    const endless = { kind: 'file' as const, size: 0, version: '"e"', name: 'f', uri: 's3://b/d/f' };
    const many = new Array(LIMITS.entries + 1).fill(endless);
    const remote = new ContentIdMemory({ stat: async () => endless, list: async () => many }, hasher);
    expect(await remote.forRun('r').of('s3://b/d', 'directory')).toBeUndefined();
    let levels = 0;
    const deeper = async (uri: string): Promise<StoredEntry[]> => {
      if ((levels += 1) > 2 * LIMITS.depth) throw new Error('it is followed without end');
      return [{ kind: 'directory', size: 0, version: '', name: 'd', uri: `${uri}/d` }];
    };
    const deep = new ContentIdMemory({ stat: async () => endless, list: deeper }, hasher);
    expect(await deep.forRun('r').of('s3://b/d', 'directory')).toBeUndefined();
  });

  it('is the validator of a remote file, or nothing', async () => {
    const remote = (version: string): ContentIdMemory =>
      new ContentIdMemory({ stat: async () => ({ kind: 'file', size: 5, version }), list: async () => [] }, hasher);
    expect(await remote('"e"').file('s3://b/f')).toBe('version "e" 5');
    expect(await remote('').file('http://h/f')).toBeUndefined();
    const weak: StoredStat = { kind: 'file', size: 5, version: 'Fri, 20 Nov 2020 20:20:20 GMT 5', unsure: true };
    expect(await new ContentIdMemory({ stat: async () => weak, list: async () => [] }, hasher).file('http://h/f')).toBeUndefined();
    // What weft has just published there is known better.
    const memory = remote('"e"');
    memory.published('s3://b/f', 'sha1$1');
    memory.published('s3://b/g', 'sha1$1', '"d"');
    expect([await memory.file('s3://b/f'), await memory.file('s3://b/g')]).toEqual(['sha1$1', 'version "e" 5']);
  });

  it('asks again after an error', async () => {
    const uri = pathToFileUri(join(directory, 'f'));
    await expect(contents.file(uri)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(contents.described(uri, { kind: 'file', size: 100_000, version: 'v' })).rejects.toMatchObject({ code: 'ENOENT' });
    write('f', 'there');
    expect(await contents.file(uri)).toBe(sha1('there'));
  });
});
