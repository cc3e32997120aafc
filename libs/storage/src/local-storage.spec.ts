import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chmodSync, linkSync, mkdirSync } from 'node:fs';
import fc from 'fast-check';
import { readerContract } from './contract/storage.contract.js';
import { writerContract } from './contract/writer.contract.js';
import { fileUriToPath, pathToFileUri } from './file-uri.js';
import { LocalStorage } from './local-storage.adapter.js';
import { publishFile } from './publish.js';
import { removeTree } from './remove-tree.js';
import { systemErrorCode } from './system-error.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weft-storage-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

readerContract('LocalStorage', 'tree', async () => ({
  storage: new LocalStorage(),
  fill: async (files) => {
    for (const [name, content] of Object.entries(files)) await write(join(directory, name), content);
    return `${pathToFileUri(directory)}/`;
  },
  dispose: () => Promise.resolve(),
}));

writerContract('LocalStorage', () =>
  Promise.resolve({
    storage: new LocalStorage(),
    prefix: `${pathToFileUri(directory)}/`,
    largeBytes: 300_000,
    dispose: () => Promise.resolve(),
  }),
);

describe('file URIs', () => {
  it('round-trip every name', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !/[\0/]/.test(s) && s !== '.' && s !== '..');
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 4 }),
        (names) => fileUriToPath(pathToFileUri(`/${names.join('/')}`)) === `/${names.join('/')}`,
      ),
    );
  });
  it.each(['file:///a#b', 'file:///a?b', 'file:///a%2Fb', 'file:///a%00b', 'file://host/a', 'http://x/a', 'file:///a%E0%A4%A'])(
    'refuses %s',
    (uri) => {
      expect(() => fileUriToPath(uri)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    },
  );
  it('refuses a relative path', () => {
    expect(() => pathToFileUri('a/b')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

describe('data URIs', () => {
  const storage = new LocalStorage();
  it.each([
    ['data:,a%20b', 'a b'],
    ['data:text/plain;base64,aGVsbG8=', 'hello'],
    ['data:text/plain;charset=utf-8,%C3%BC', 'ü'],
  ])('reads %s', async (uri, wanted) => {
    expect(await storage.readText(uri, 100)).toBe(wanted);
  });
  it('refuses wrong escapes and too much', async () => {
    await expect(storage.readText('data:,%zz', 100)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(storage.readText('data:,abc', 2)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('allowed roots', () => {
  it('lets in what lies below, and nothing through links, dots or missing names', async () => {
    await write(join(directory, 'in/f'), 'x');
    await write(join(directory, 'out/g'), 'y');
    await symlink(join(directory, 'out/g'), join(directory, 'in/link'));
    const storage = new LocalStorage({ allowedRoots: [join(directory, 'in')] });
    const uri = (path: string): string => pathToFileUri(join(directory, path));
    expect(await storage.readText(uri('in/f'), 10)).toBe('x');
    await expect(storage.stat(uri('in/missing'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    for (const path of ['out/g', 'in/link', 'out/missing', 'in-not'])
      await expect(storage.stat(uri(path))).rejects.toMatchObject({ code: 'ACCESS' });
    await expect(storage.stat(`${uri('in')}/../out/g`)).rejects.toMatchObject({ code: 'ACCESS' });
    await expect(storage.removeTree(uri('out'))).rejects.toMatchObject({ code: 'ACCESS' });
    await expect(storage.writeText(uri('out/new'), '')).rejects.toMatchObject({ code: 'ACCESS' });
    await expect(storage.publish(join(directory, 'out/g'), uri('out/new'))).rejects.toMatchObject({ code: 'ACCESS' });
    await expect(storage.copyTree(uri('in'), uri('in-copy'))).rejects.toMatchObject({ code: 'ACCESS' });
    // A tree that holds a link to the outside is not copied in either.
    await write(join(directory, 'in/d/f'), 'x');
    await symlink(join(directory, 'out/g'), join(directory, 'in/d/link'));
    await expect(storage.copyTree(uri('in/d'), uri('in/copy'))).rejects.toMatchObject({ code: 'ACCESS' });
    await expect(storage.moveTree(uri('out/g'), uri('in/g'))).rejects.toMatchObject({ code: 'ACCESS' });
    await storage.removeTree(uri('in/link'));
    expect(await readFile(join(directory, 'out/g'), 'utf8')).toBe('y');
  });
});

describe('copying', () => {
  it('links, and refuses a link that has no end', async () => {
    const storage = new LocalStorage();
    const uri = (path: string): string => pathToFileUri(join(directory, path));
    await write(join(directory, 'd/f'), 'x');
    await storage.copyTree(uri('d'), uri('copy'));
    expect((await stat(join(directory, 'copy/f'))).ino).toBe((await stat(join(directory, 'd/f'))).ino);
    await symlink('.', join(directory, 'd/self'));
    await expect(storage.copyTree(uri('d'), uri('endless'))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('above itself'),
    });
  });

  it('leaves what it copies where it is, also where a file can have no more links', async () => {
    const storage = new LocalStorage();
    const path = (name: string): string => join(directory, name);
    await write(path('f'), 'x');
    // ext4 ends at 65,000; where there is no end this is an ordinary copy.
    try {
      for (let n = 0; n < 65_000; n += 1) linkSync(path('f'), path(`link-${n}`));
    } catch (error) {
      expect(systemErrorCode(error)).toBe('EMLINK');
    }
    await storage.copyTree(pathToFileUri(path('f')), pathToFileUri(path('copy')));
    expect(await Promise.all(['f', 'copy'].map((name) => readFile(path(name), 'utf8')))).toEqual(['x', 'x']);
  });
});

describe('publishing', () => {
  it('links within a file system, makes directories, and may be repeated', async () => {
    const [from, to] = [join(directory, 'work/f'), join(directory, 'data/a/b/f')];
    await write(from, 'result');
    await publishFile(from, to, { fsync: true });
    await publishFile(from, to);
    expect((await stat(to)).ino).toBe((await stat(from)).ino);
  });
  it('replaces an older file of the same name whole', async () => {
    const [from, to] = [join(directory, 'f'), join(directory, 'g')];
    await write(from, 'new');
    await write(to, 'old');
    await publishFile(from, to);
    expect(await readFile(to, 'utf8')).toBe('new');
  });
  it('copies across file systems', async () => {
    const other = await mkdtemp('/dev/shm/weft-storage-');
    try {
      const from = join(other, 'f');
      await write(from, 'far');
      expect((await stat(from)).dev).not.toBe((await stat(directory)).dev);
      await publishFile(from, join(directory, 'x/f'));
      expect(await readFile(join(directory, 'x/f'), 'utf8')).toBe('far');
    } finally {
      await rm(other, { recursive: true });
    }
  });
  it('fails with the system error where the source is missing', async () => {
    await expect(publishFile(join(directory, 'none'), join(directory, 'x/y'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('removeTree', () => {
  it('removes read-only directories and leaves the targets of links alone', async () => {
    await write(join(directory, 'kept/f'), 'k');
    await write(join(directory, 't/a/b/f'), 'x');
    await symlink(join(directory, 'kept'), join(directory, 't/link'));
    chmodSync(join(directory, 't/a/b'), 0o500);
    mkdirSync(join(directory, 't/none'), { mode: 0 });
    await removeTree(join(directory, 't'));
    await expect(stat(join(directory, 't'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(join(directory, 'kept/f'), 'utf8')).toBe('k');
    await removeTree(join(directory, 't'));
  });
});

describe('results of runs', () => {
  it('are reached by their own names alone, and are in no directory that is given away', async () => {
    const at = (path: string): string => join(directory, path);
    await write(at('data/runs/r-1/t.1/x'), 'one');
    await write(at('data/runs/r-2/t.1/x'), 'two');
    await write(at('inputs/x'), 'input');
    await symlink(at('data/runs/r-2'), at('inputs/runs'));
    await symlink(at('data/runs/r-2/t.1/x'), at('data/runs/r-1/t.1/link'));
    await symlink(at('inputs/x'), at('data/runs/r-1/t.1/out'));
    await symlink(directory, at('again'));
    const storage = new LocalStorage({ own: { closed: [], open: [at('data')], results: at('data') } });
    const text = (path: string): Promise<string> => storage.readText(pathToFileUri(at(path)), 100);
    const refused = { code: 'ACCESS', message: expect.stringMatching(/results of runs by another name/) as unknown };
    expect(await text('data/runs/r-1/t.1/x')).toBe('one');
    expect(await text('data/runs/r-1/t.1/out')).toBe('input');
    // What is yet to be made, with all that is above it.
    await expect(storage.stat(pathToFileUri(at('data/runs/r-3/logs/x')))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(storage.stat(pathToFileUri(at('inputs/runs/new/deep/x')))).rejects.toMatchObject(refused);
    // Whoever publishes may know the directory by another name.
    expect(await storage.resolve(pathToFileUri(at('again/data/runs/r-3/x')))).toBe(at('again/data/runs/r-3/x'));
    for (const around of ['inputs/runs/t.1/x', 'data/runs/r-1/t.1/link', 'again/data/runs/r-2/t.1/x'])
      await expect(text(around)).rejects.toMatchObject(refused);
    expect(await storage.resolveInput(pathToFileUri(at('data/runs/r-1')), 'directory')).toBe(at('data/runs/r-1'));
    await expect(storage.resolveInput(pathToFileUri(directory), 'directory')).rejects.toMatchObject({
      code: 'ACCESS',
      message: expect.stringMatching(/holds the results of other runs/) as unknown,
    });
  });
});
