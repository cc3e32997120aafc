/** What every storage adapter that writes must do besides reading. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { isFileUri } from '../file-uri.js';
import type { Storage } from '../ports.js';
import { awkwardNames, inUri } from './storage.contract.js';

export interface WriterUnderTest {
  storage: Storage;
  /** An empty place, ends in '/'. */
  prefix: string;
  /** Size in bytes that this storage handles in more than one piece. */
  largeBytes: number;
  dispose(): Promise<void>;
}

export function writerContract(name: string, create: () => Promise<WriterUnderTest>): void {
  describe(`storage contract, writing: ${name}`, () => {
    let subject: WriterUnderTest;
    let host = '';
    beforeEach(async () => {
      subject = await create();
      host = await mkdtemp(join(tmpdir(), 'weft-publish-'));
    });
    afterEach(async () => {
      await subject.dispose();
      await rm(host, { recursive: true });
    });
    const context = (): WriterUnderTest & { host: string } => ({ ...subject, host });
    describeWriting(context);
    describeCopying(context);
    describeRemoving(context);
  });
}

type Context = () => WriterUnderTest & { host: string };

/** Paths below a URI with their text, directories with a '/' behind them. */
async function treeOf(storage: Storage, uri: string, below = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await storage.list(uri)) {
    const path = below + entry.name;
    if (entry.kind === 'file') found[path] = await storage.readText(entry.uri, 1_000_000);
    else Object.assign(found, { [`${path}/`]: '' }, await treeOf(storage, entry.uri, `${path}/`));
  }
  return found;
}

async function onHost(host: string, files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(name.endsWith('/') ? join(host, name) : dirname(join(host, name)), { recursive: true });
    if (!name.endsWith('/')) await writeFile(join(host, name), content);
  }
}

function describeWriting(context: Context): void {
  it('writes text where no directory was, and replaces it', async () => {
    const { storage, prefix } = context();
    await storage.writeText(`${prefix}a/b/t`, 'ein Wört');
    expect(await storage.readText(`${prefix}a/b/t`, 100)).toBe('ein Wört');
    await storage.writeText(`${prefix}a/b/t`, '');
    expect(await storage.stat(`${prefix}a/b/t`)).toMatchObject({ kind: 'file', size: 0 });
    expect(await treeOf(storage, prefix)).toEqual({ 'a/': '', 'a/b/': '', 'a/b/t': '' });
  });

  it.each(awkwardNames)('publishes %j, twice', async (awkward) => {
    const { storage, prefix, host } = context();
    await onHost(host, { [awkward]: 'result' });
    for (let time = 0; time < 2; time++) {
      const version = await storage.publish(join(host, awkward), `${prefix}x/${inUri(awkward)}`);
      if (version !== '') expect((await storage.stat(`${prefix}x/${inUri(awkward)}`)).version).toBe(version);
    }
    expect(await treeOf(storage, prefix)).toEqual({ 'x/': '', [`x/${awkward}`]: 'result' });
  });

  it('publishes a tree with empty directories, links followed', async () => {
    const { storage, prefix, host } = context();
    await onHost(host, { 'd/one': '1', 'd/sub/two': '2', 'd/empty/': '', 'd/deep/empty/': '' });
    await symlink('one', join(host, 'd/link'));
    await storage.publish(join(host, 'd'), `${prefix}out`);
    expect(await treeOf(storage, `${prefix}out`)).toEqual({
      one: '1',
      link: '1',
      'sub/': '',
      'sub/two': '2',
      'empty/': '',
      'deep/': '',
      'deep/empty/': '',
    });
    expect(await storage.list(`${prefix}out/empty`)).toEqual([]);
  });

  it('publishes a large file byte for byte, and reads ranges of it', async () => {
    const { storage, prefix, host, largeBytes } = context();
    const bytes = patterned(largeBytes);
    await writeFile(join(host, 'large'), bytes);
    await storage.publish(join(host, 'large'), `${prefix}large`);
    const { size, version } = await storage.stat(`${prefix}large`);
    expect(size).toBe(largeBytes);
    expect((await buffer(await storage.open(`${prefix}large`, { version }))).equals(bytes)).toBe(true);
    const middle = await buffer(await storage.open(`${prefix}large`, { start: largeBytes - 70_000, end: largeBytes - 9, version }));
    expect(middle.equals(bytes.subarray(largeBytes - 70_000, largeBytes - 9))).toBe(true);
  });

  it('does not publish what is not there', async () => {
    const { storage, prefix, host } = context();
    await expect(storage.publish(join(host, 'none'), `${prefix}none`)).rejects.toMatchObject({ name: 'StorageError', code: 'NOT_FOUND' });
    await expect(storage.stat(`${prefix}none`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
}

function describeCopying(context: Context): void {
  it('copies and moves files of every name', async () => {
    const { storage, prefix, host } = context();
    const named = (before: string): Record<string, string> => Object.fromEntries(awkwardNames.map((name) => [before + name, name]));
    await onHost(host, named('d/'));
    await storage.publish(join(host, 'd'), `${prefix}d`);
    await storage.copyTree(`${prefix}d`, `${prefix}copied`);
    await storage.moveTree(`${prefix}d`, `${prefix}moved`);
    expect(await treeOf(storage, prefix)).toEqual({ 'copied/': '', ...named('copied/'), 'moved/': '', ...named('moved/') });
    const [one, two] = [inUri(awkwardNames[3] ?? ''), inUri(awkwardNames[12] ?? '')];
    await storage.copyTree(`${prefix}moved/${one}`, `${prefix}files/${two}`);
    await storage.moveTree(`${prefix}moved/${two}`, `${prefix}files/${one}`);
    expect(await treeOf(storage, `${prefix}files`)).toEqual({
      [awkwardNames[12] ?? '']: awkwardNames[3],
      [awkwardNames[3] ?? '']: awkwardNames[12],
    });
  });

  it('copies a tree, twice, beside what is there; versions of the source stay, but where a copy is a link', async () => {
    const { storage, prefix, host } = context();
    await onHost(host, { 'd/a': '1', 'd/e/': '', 'd/s/b': '2' });
    await storage.publish(join(host, 'd'), `${prefix}d`);
    await storage.writeText(`${prefix}to/s/other`, 'o');
    const { version } = await storage.stat(`${prefix}d/a`);
    await storage.copyTree(`${prefix}d/`, `${prefix}to/`);
    await storage.copyTree(`${prefix}d`, `${prefix}to`);
    expect(await treeOf(storage, `${prefix}to`)).toEqual({ a: '1', 'e/': '', 's/': '', 's/b': '2', 's/other': 'o' });
    if (!isFileUri(prefix)) expect((await storage.stat(`${prefix}d/a`)).version).toBe(version);
    await storage.removeTree(`${prefix}to`);
    if (!isFileUri(prefix)) expect((await storage.stat(`${prefix}d/a`)).version).toBe(version);
  });

  it('moves a tree, also onto one that is there', async () => {
    const { storage, prefix, host } = context();
    await onHost(host, { 'd/a': '1', 'd/e/': '', 'd/s/b': '2' });
    for (const first of [true, false]) {
      await storage.publish(join(host, 'd'), `${prefix}d${Number(first)}`);
      await storage.moveTree(`${prefix}d${Number(first)}/`, `${prefix}to`);
      await expect(storage.stat(`${prefix}d${Number(first)}`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    expect(await treeOf(storage, prefix)).toEqual({ 'to/': '', 'to/a': '1', 'to/e/': '', 'to/s/': '', 'to/s/b': '2' });
  });

  it.each(['d', 'd/', 'd/a/b'])('refuses to copy or move a tree to %s of itself', async (to) => {
    const { storage, prefix } = context();
    await storage.writeText(`${prefix}d/a/f`, '');
    await expect(storage.copyTree(`${prefix}d`, prefix + to)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(storage.moveTree(`${prefix}d`, prefix + to)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(await treeOf(storage, prefix)).toEqual({ 'd/': '', 'd/a/': '', 'd/a/f': '' });
  });

  it('says NOT_FOUND where there is nothing to copy or move', async () => {
    const { storage, prefix } = context();
    await expect(storage.copyTree(`${prefix}none`, `${prefix}to`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(storage.moveTree(`${prefix}none`, `${prefix}to`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(storage.stat(`${prefix}to`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
}

function describeRemoving(context: Context): void {
  it('removes a tree and nothing beside it, twice; a file likewise', async () => {
    const { storage, prefix } = context();
    for (const name of ['d/a', 'd/e/b', 'd-not', 'kept', 'f']) await storage.writeText(`${prefix}${name}`, 'k');
    for (let time = 0; time < 2; time++) {
      await storage.removeTree(`${prefix}d/`);
      await storage.removeTree(`${prefix}f`);
    }
    await expect(storage.stat(`${prefix}d`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await treeOf(storage, prefix)).toEqual({ 'd-not': 'k', kept: 'k' });
  });
}

/** Bytes that differ from place to place. */
export function patterned(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, Math.min(at, size - 4));
  return bytes;
}
