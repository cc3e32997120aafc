/** What every storage adapter must do. Run by each adapter's spec against the real thing. */
import { text } from 'node:stream/consumers';
import type { StorageReader, StorageWriter } from '../ports.js';

export interface StorageUnderTest {
  storage: StorageReader & StorageWriter;
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
  'quo\'te"',
  'ünïcode-雪',
  'back\\slash',
  'new\nline',
  '~tilde',
  '[x]{y}',
];

export function storageContract(name: string, create: () => Promise<StorageUnderTest>): void {
  describe(`storage contract: ${name}`, () => {
    let subject: StorageUnderTest;
    beforeEach(async () => {
      subject = await create();
    });
    afterEach(async () => {
      await subject.dispose();
    });

    it('describes files and directories', async () => {
      const prefix = await subject.fill({ 'd/a.txt': 'hello' });
      expect(await subject.storage.stat(`${prefix}d/a.txt`)).toEqual({ kind: 'file', size: 5 });
      expect((await subject.storage.stat(`${prefix}d`)).kind).toBe('directory');
    });

    it.each(awkwardNames)('lists, describes, reads and opens %j', async (awkward) => {
      const prefix = await subject.fill({ [`d/${awkward}`]: awkward });
      const [entry, ...others] = await subject.storage.list(`${prefix}d`);
      expect(others).toEqual([]);
      expect(entry).toMatchObject({ name: awkward, kind: 'file', size: Buffer.byteLength(awkward) });
      const uri = entry?.uri ?? '';
      expect(uri).not.toMatch(/[\s#?]/);
      expect(await subject.storage.readText(uri, 1000)).toBe(awkward);
      expect(await text(await subject.storage.open(uri))).toBe(awkward);
    });

    it('lists sorted by name, without descending', async () => {
      const prefix = await subject.fill({ 'd/b': '', 'd/a': '1', 'd/B': '', 'd/c/inner': '' });
      const listed = await subject.storage.list(`${prefix}d/`);
      expect(listed.map((e) => [e.name, e.kind])).toEqual([
        ['B', 'file'],
        ['a', 'file'],
        ['b', 'file'],
        ['c', 'directory'],
      ]);
    });

    it('reads up to the limit and refuses more', async () => {
      const prefix = await subject.fill({ f: 'äbc' });
      expect(await subject.storage.readText(`${prefix}f`, 4)).toBe('äbc');
      await expect(subject.storage.readText(`${prefix}f`, 3)).rejects.toMatchObject({ name: 'StorageError', code: 'TOO_LARGE' });
    });

    it('says NOT_FOUND and names the URI', async () => {
      const uri = `${await subject.fill({})}missing`;
      const wanted = { name: 'StorageError', code: 'NOT_FOUND', uri, message: expect.stringContaining(uri) };
      await expect(subject.storage.stat(uri)).rejects.toMatchObject(wanted);
      await expect(subject.storage.readText(uri, 10)).rejects.toMatchObject(wanted);
      await expect(subject.storage.list(uri)).rejects.toMatchObject(wanted);
      await expect(subject.storage.open(uri)).rejects.toMatchObject(wanted);
    });

    it('refuses to read a directory or to list a file', async () => {
      const prefix = await subject.fill({ 'd/f': '' });
      await expect(subject.storage.readText(`${prefix}d`, 10)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await expect(subject.storage.open(`${prefix}d`)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await expect(subject.storage.list(`${prefix}d/f`)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    });

    it('refuses other schemes', async () => {
      await expect(subject.storage.stat('gopher://x/y')).rejects.toMatchObject({ name: 'StorageError', code: 'UNSUPPORTED' });
    });

    it('removes a tree, twice', async () => {
      const prefix = await subject.fill({ 'd/a': '', 'd/e/b': '', kept: 'k' });
      await subject.storage.removeTree(`${prefix}d/`);
      await subject.storage.removeTree(`${prefix}d/`);
      await expect(subject.storage.stat(`${prefix}d`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await subject.storage.readText(`${prefix}kept`, 1)).toBe('k');
    });
  });
}
