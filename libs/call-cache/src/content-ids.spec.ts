import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage, pathToFileUri } from '@weft/storage';
import { ContentIdMemory } from './content-ids.js';
import { ThreadedFileHasher } from './file-hasher.js';

const sha1 = (text: string): string => `sha1$${createHash('sha1').update(text).digest('hex')}`;

describe('what stands for the bytes of a file', () => {
  const hasher = new ThreadedFileHasher();
  let directory: string;
  let hashed: string[];
  let nowMs: number;
  let contents: ContentIdMemory;
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return pathToFileUri(join(directory, name));
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-contents-'));
    hashed = [];
    nowMs = 0;
    const counting = {
      sha1: (path: string, size: number) => {
        hashed.push(path);
        return hasher.sha1(path, size);
      },
      close: () => hasher.close(),
    };
    contents = new ContentIdMemory(new LocalStorage(), counting, () => nowMs);
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

  it('is what was published, if that is looked at at once, for as long as it stays as it was', async () => {
    const uri = write('f', 'published');
    contents.published(uri, 'sha1$stated');
    expect(await contents.file(uri)).toBe('sha1$stated');
    nowMs = 1e9;
    expect(await contents.file(uri)).toBe('sha1$stated');
    write('f', 'Published');
    utimesSync(join(directory, 'f'), 1, 1);
    expect(await contents.file(uri)).toBe(sha1('Published'));
    contents.published(uri, 'sha1$stated');
    nowMs += 60_000;
    expect(await contents.file(uri)).toBe(sha1('Published'));
    contents.published(uri, 'sha1$stated', 'another version');
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
    expect(await contents.forRun('r-1').of(uri, 'directory')).toBe(first);
  });

  it('is the validator of a remote file, or nothing', async () => {
    const remote = (version: string): ContentIdMemory =>
      new ContentIdMemory({ stat: async () => ({ kind: 'file', size: 5, version }), list: async () => [] }, hasher);
    expect(await remote('"e"').file('s3://b/f')).toBe('version "e" 5');
    expect(await remote('').file('http://h/f')).toBeUndefined();
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
