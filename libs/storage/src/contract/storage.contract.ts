/** What every storage adapter must do. Run by each adapter's spec against the real thing; `writer.contract.ts` is for those that write. */
import { text } from 'node:stream/consumers';
import type { StorageReader } from '../ports.js';

export interface ReaderUnderTest {
  storage: StorageReader;
  /** Prefix (ends in '/') that holds exactly the given files; keys are '/'-separated names, not encoded. */
  fill(files: Record<string, string>): Promise<string>;
  dispose(): Promise<void>;
}

/** Names that go wrong where URIs and paths are mixed up. */
export const awkwardNames = [
  'plain.txt',
  'with space',
  'hash#mark',
  'per%cent',
  'per%23cent',
  'quest?ion',
  'a&b=c;d',
  'pl+us',
  'quo\'te"',
  'ünïcode-雪',
  'back\\slash',
  'new\nline',
  '~tilde',
  '[x]{y}',
];

/** A name as it is written in a URI, whatever the scheme. */
export const inUri = (name: string): string => name.split('/').map(encodeURIComponent).join('/');

/** @param kind 'files': a storage without directories, as http. */
export function readerContract(name: string, kind: 'tree' | 'files', create: () => Promise<ReaderUnderTest>): void {
  describe(`storage contract, reading: ${name}`, () => {
    let subject: ReaderUnderTest;
    beforeEach(async () => {
      subject = await create();
    });
    afterEach(async () => {
      await subject.dispose();
    });
    describeFiles(() => subject);
    if (kind === 'tree') describeDirectories(() => subject);
  });
}

function describeFiles(subject: () => ReaderUnderTest): void {
  it.each(awkwardNames)('describes, reads and opens %j', async (awkward) => {
    const { storage, fill } = subject();
    const uri = `${await fill({ [`d/${awkward}`]: awkward })}d/${inUri(awkward)}`;
    expect(await storage.stat(uri)).toMatchObject({ kind: 'file', size: Buffer.byteLength(awkward) });
    expect(await storage.readText(uri, 1000)).toBe(awkward);
    expect(await text(await storage.open(uri))).toBe(awkward);
  });

  it('opens a range, also one that goes past the end or is empty', async () => {
    const { storage, fill } = subject();
    const prefix = await fill({ f: '0123456789', empty: '' });
    const read = async (start?: number, end?: number): Promise<string> => text(await storage.open(`${prefix}f`, { start, end }));
    expect(await read(3, 6)).toBe('345');
    expect(await read(7)).toBe('789');
    expect(await read(undefined, 2)).toBe('01');
    expect(await read(8, 99)).toBe('89');
    expect(await read(10)).toBe('');
    expect(await read(4, 4)).toBe('');
    expect(await text(await storage.open(`${prefix}empty`))).toBe('');
  });

  it('gives a version that changes with the bytes and only then', async () => {
    const { storage, fill } = subject();
    const uri = `${await fill({ f: 'one' })}f`;
    const { version } = await storage.stat(uri);
    expect(version).not.toBe('');
    expect((await storage.stat(uri)).version).toBe(version);
    expect(await text(await storage.open(uri, { version }))).toBe('one');
    await fill({ f: 'three' });
    expect((await storage.stat(uri)).version).not.toBe(version);
    await expect(storage.open(uri, { version })).rejects.toMatchObject({ name: 'StorageError', code: 'CHANGED', uri });
    expect(await text(await storage.open(uri, { version: '' }))).toBe('three');
  });

  it('reads up to the limit and refuses more', async () => {
    const { storage, fill } = subject();
    const prefix = await fill({ f: 'äbc' });
    expect(await storage.readText(`${prefix}f`, 4)).toBe('äbc');
    await expect(storage.readText(`${prefix}f`, 3)).rejects.toMatchObject({ name: 'StorageError', code: 'TOO_LARGE' });
  });

  it('says NOT_FOUND and names the URI', async () => {
    const { storage, fill } = subject();
    const uri = `${await fill({ other: '' })}missing`;
    const wanted = { name: 'StorageError', code: 'NOT_FOUND', uri, message: expect.stringContaining(uri) };
    await expect(storage.stat(uri)).rejects.toMatchObject(wanted);
    await expect(storage.readText(uri, 10)).rejects.toMatchObject(wanted);
    await expect(storage.open(uri)).rejects.toMatchObject(wanted);
  });

  it('refuses other schemes', async () => {
    await expect(subject().storage.stat('gopher://x/y')).rejects.toMatchObject({ name: 'StorageError', code: 'UNSUPPORTED' });
  });
}

function describeDirectories(subject: () => ReaderUnderTest): void {
  it('describes directories', async () => {
    const { storage, fill } = subject();
    const prefix = await fill({ 'd/a.txt': 'hello', 'd.txt': '' });
    for (const uri of [`${prefix}d`, `${prefix}d/`]) expect(await storage.stat(uri)).toEqual({ kind: 'directory', size: 0, version: '' });
  });

  it.each(awkwardNames)('lists %j, as a file and as a directory', async (awkward) => {
    const { storage, fill } = subject();
    const prefix = await fill({ [`d/${awkward}`]: awkward, [`e/${awkward}/f`]: 'inner' });
    const [entry, ...others] = await storage.list(`${prefix}d`);
    expect(others).toEqual([]);
    const uri = entry?.uri ?? '';
    expect(entry).toEqual({ name: awkward, uri, ...(await storage.stat(uri)) });
    expect(uri).not.toMatch(/[\s#?]/);
    expect(await storage.readText(uri, 1000)).toBe(awkward);
    const [directory] = await storage.list(`${prefix}e`);
    expect(directory).toMatchObject({ name: awkward, kind: 'directory' });
    const inner = await storage.list(directory?.uri ?? '');
    expect(await storage.readText(inner[0]?.uri ?? '', 1000)).toBe('inner');
  });

  it('lists sorted by name, without descending', async () => {
    const { storage, fill } = subject();
    const prefix = await fill({ 'd/b': '', 'd/a': '1', 'd/B': '', 'd/c/inner': '' });
    const listed = await storage.list(`${prefix}d/`);
    expect(listed.map((e) => [e.name, e.kind])).toEqual([
      ['B', 'file'],
      ['a', 'file'],
      ['b', 'file'],
      ['c', 'directory'],
    ]);
  });

  it('says NOT_FOUND of a directory that is not there', async () => {
    const { storage, fill } = subject();
    const uri = `${await fill({ 'other/f': '' })}missing/`;
    await expect(storage.list(uri)).rejects.toMatchObject({ code: 'NOT_FOUND', uri });
  });

  it('refuses to read a directory or to list a file', async () => {
    const { storage, fill } = subject();
    const prefix = await fill({ 'd/f': '' });
    await expect(storage.readText(`${prefix}d`, 10)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(storage.open(`${prefix}d`)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(storage.list(`${prefix}d/f`)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
}
