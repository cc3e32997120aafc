import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type OpenOptions, StorageError, type StorageReader, type StoredEntry, type StoredStat } from '@weft/storage';
import { InputCache, type Wanted } from './input-cache.js';

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

/** Files in memory behind connections that break where a test says. */
class FakeStorage implements StorageReader {
  readonly files = new Map<string, string>();
  readonly opened: { uri: string; start: number }[] = [];
  /** Bytes that the next connections bring before they break; the rest does not break. */
  readonly breaks: number[] = [];
  stats = 0;
  withVersions = true;
  /** As an http server has them that tells no more than when and how large: '' where they are not. */
  weakVersion = '';
  /** Called with every connection's number before anything is read. */
  onOpen: (count: number) => Promise<void> | void = () => undefined;

  stat(uri: string): Promise<StoredStat> {
    this.stats++;
    const version = this.version(uri);
    return Promise.resolve({ kind: 'file', size: this.text(uri).length, version, ...(this.weakVersion !== '' && { unsure: true }) });
  }

  readText(uri: string): Promise<string> {
    return Promise.resolve(this.text(uri));
  }

  list(uri: string): Promise<StoredEntry[]> {
    const entries = new Map<string, StoredEntry>();
    for (const path of [...this.files.keys()].filter((one) => one.startsWith(uri))) {
      const [name = '', ...below] = path.slice(uri.length).split('/');
      if (name === '') continue;
      const child = uri + name;
      if (below.length > 0) entries.set(name, { name, uri: child, kind: 'directory', size: 0, version: '' });
      else entries.set(name, { name, uri: child, kind: 'file', size: this.text(child).length, version: this.version(child) });
    }
    return Promise.resolve([...entries.values()]);
  }

  async open(uri: string, { start = 0, version = '' }: OpenOptions = {}): Promise<Readable> {
    this.opened.push({ uri, start });
    await this.onOpen(this.opened.length);
    if (version !== '' && version !== this.version(uri)) throw new StorageError('CHANGED', `${uri} has changed`, uri);
    const rest = Buffer.from(this.text(uri).slice(start));
    const limit = this.breaks.shift();
    if (limit === undefined) return Readable.from([rest]);
    return Readable.from(
      (async function* () {
        await Promise.resolve();
        yield rest.subarray(0, limit);
        throw new StorageError('IO', `${uri}: broken`, uri);
      })(),
    );
  }

  private text(uri: string): string {
    const text = this.files.get(uri);
    if (text === undefined) throw new StorageError('NOT_FOUND', `${uri} does not exist`, uri);
    return text;
  }

  private version(uri: string): string {
    if (this.weakVersion !== '') return this.weakVersion;
    return this.withVersions ? sha1(this.text(uri)) : '';
  }
}

describe('InputCache', () => {
  let directory: string;
  let storage: FakeStorage;
  let cache: InputCache;
  const pauses: number[] = [];
  const open = (limitBytes = 1000): InputCache =>
    new InputCache({ directory, limitBytes, storage, pause: (failures) => Promise.resolve(void pauses.push(failures)) });
  const want = (uri: string, more: Partial<Wanted> = {}): Wanted => ({
    uri,
    name: uri.slice(uri.lastIndexOf('/') + 1),
    checksum: '',
    signal: new AbortController().signal,
    ...more,
  });
  const partial = (): string[] => readdirSync(join(directory, 'partial'));
  const A = 's3://b/a';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-cache-'));
    storage = new FakeStorage();
    storage.files.set(A, 'the content of a');
    pauses.length = 0;
    cache = open();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('fetches a file once for all who want it, under the names they want, read-only', async () => {
    const names = ['a', 'b.txt', 'c'];
    const leases = await Promise.all(names.map((name) => cache.file(want(A, { name }))));
    expect(leases.map(({ path }) => [path.slice(path.lastIndexOf('/') + 1), readFileSync(path, 'utf8')])).toEqual(
      names.map((name) => [name, 'the content of a']),
    );
    expect(new Set(leases.map(({ path }) => statSync(path).ino)).size).toBe(1);
    expect(statSync(leases[0]?.path ?? '').mode & 0o222).toBe(0);
    expect(storage.opened).toHaveLength(1);
    expect(cache.report()).toEqual({ bytes: 16, evictions: 0, hits: 0, misses: 1 });
  });

  it('looks whether the file is still the same, and fetches it again where not', async () => {
    await cache.file(want(A));
    await cache.file(want(A));
    expect(storage.opened).toHaveLength(1);
    storage.files.set(A, 'changed');
    expect(readFileSync((await cache.file(want(A))).path, 'utf8')).toBe('changed');
    expect(storage.opened).toHaveLength(2);
  });

  it('fetches a file again that may have been replaced by another of its size and time', async () => {
    storage.weakVersion = 'Fri, 20 Nov 2020 20:20:20 GMT 16';
    await cache.file(want(A));
    storage.files.set(A, 'the CONTENT of a');
    expect(readFileSync((await cache.file(want(A))).path, 'utf8')).toBe('the CONTENT of a');
  });

  it('asks nobody where the checksum is stated and known', async () => {
    const checksum = `sha1$${sha1('the content of a')}`;
    await cache.file(want(A, { checksum }));
    const { stats } = storage;
    await cache.file(want(A, { checksum }));
    expect([storage.stats, storage.opened.length]).toEqual([stats, 1]);
  });

  it('knows bytes again that lie elsewhere now, where they are there and stated', async () => {
    await cache.file(want(A));
    storage.files.set('s3://b/moved', 'the content of a');
    const checksum = `sha1$${sha1('the content of a')}`;
    await cache.file(want('s3://b/moved', { checksum }));
    expect(storage.opened).toHaveLength(1);
    await expect(cache.file(want('s3://b/never', { checksum }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('goes on where a connection broke', async () => {
    storage.breaks.push(4, 0, 5);
    const lease = await cache.file(want(A, { checksum: `sha1$${sha1('the content of a')}` }));
    expect(storage.opened.map(({ start }) => start)).toEqual([0, 4, 4, 9]);
    expect(readFileSync(lease.path, 'utf8')).toBe('the content of a');
    expect(pauses).toEqual([1, 2, 1]);
  });

  it('begins again where the file changed meanwhile, or where nobody can tell', async () => {
    storage.breaks.push(4);
    storage.onOpen = (count) => void (count === 2 && storage.files.set(A, 'another one'));
    expect(readFileSync((await cache.file(want(A))).path, 'utf8')).toBe('another one');
    expect(storage.opened.map(({ start }) => start)).toEqual([0, 4, 0]);
    storage.withVersions = false;
    storage.files.set('http://h/x', 'no versions');
    storage.breaks.push(4);
    expect(readFileSync((await cache.file(want('http://h/x'))).path, 'utf8')).toBe('no versions');
    expect(storage.opened.slice(3).map(({ start }) => start)).toEqual([0, 0]);
  });

  it('gives up after five connections that brought nothing', async () => {
    storage.breaks.push(0, 0, 0, 0, 0, 0);
    await expect(cache.file(want(A))).rejects.toMatchObject({ code: 'IO' });
    expect(storage.opened).toHaveLength(5);
    expect(partial()).toEqual([]);
    storage.breaks.length = 0;
    expect(readFileSync((await cache.file(want(A))).path, 'utf8')).toBe('the content of a');
  });

  it('tries once more where the checksum is wrong, and then names both', async () => {
    const stated = `sha1$${sha1('something else')}`;
    await expect(cache.file(want(A, { checksum: stated }))).rejects.toMatchObject({
      code: 'CHECKSUM',
      message: `${A} has the checksum sha1$${sha1('the content of a')}, not ${stated} as its File value says`,
    });
    expect(storage.opened).toHaveLength(2);
    expect([partial(), cache.report().bytes]).toEqual([[], 0]);
    await cache.file(want(A));
    await expect(cache.file(want(A, { checksum: stated }))).rejects.toMatchObject({ code: 'CHECKSUM' });
    expect(storage.opened).toHaveLength(3);
  });

  it('stops a fetch when nobody waits any more, and only then', async () => {
    const [one, two] = [new AbortController(), new AbortController()];
    let go: () => void = () => undefined;
    const opened = new Promise<void>((reached) => {
      storage.onOpen = () => {
        reached();
        return new Promise((resolve) => (go = resolve));
      };
    });
    const first = cache.file(want(A, { signal: one.signal }));
    const second = cache.file(want(A, { signal: two.signal }));
    await opened;
    one.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    go();
    expect(readFileSync((await second).path, 'utf8')).toBe('the content of a');

    storage.files.set('s3://b/z', 'z');
    storage.onOpen = () => undefined;
    const three = new AbortController();
    storage.onOpen = () => three.abort(new Error('cancelled'));
    await expect(cache.file(want('s3://b/z', { signal: three.signal }))).rejects.toThrow('cancelled');
    storage.onOpen = () => undefined;
    expect(readFileSync((await cache.file(want('s3://b/z'))).path, 'utf8')).toBe('z');
  });

  it('lets the least recently used go, and never what is in use', async () => {
    cache = open(25);
    for (const name of ['x', 'y', 'z']) storage.files.set(`s3://b/${name}`, name.repeat(10));
    const x = await cache.file(want('s3://b/x'));
    (await cache.file(want('s3://b/y'))).release();
    (await cache.file(want('s3://b/z'))).release();
    expect([existsSync(x.path), cache.report()]).toEqual([true, { bytes: 20, evictions: 1, hits: 0, misses: 3 }]);
    await cache.file(want('s3://b/z'));
    expect(storage.opened).toHaveLength(3);
    x.release();
    (await cache.file(want('s3://b/y'))).release();
    expect(existsSync(x.path)).toBe(false);
    expect(cache.report().bytes).toBe(20);
  });

  it('keeps more than the limit while it is in use', async () => {
    cache = open(0);
    const lease = await cache.file(want(A));
    expect(readFileSync(lease.path, 'utf8')).toBe('the content of a');
    lease.release();
    lease.release();
    expect([existsSync(lease.path), cache.report().bytes]).toEqual([false, 0]);
  });

  describe('directories', () => {
    beforeEach(() => {
      for (const [path, text] of Object.entries({ 'one.txt': '1', 'sub/two': '2', 'sub/same': '1' }))
        storage.files.set(`s3://b/d/${path}`, text);
      storage.files.set('s3://b/d/empty/', '');
    });

    it('are made of links, once', async () => {
      const lease = await cache.directory(want('s3://b/d', { name: 'named' }));
      expect(lease.path.endsWith('/named')).toBe(true);
      expect(readdirSync(lease.path).sort()).toEqual(['empty', 'one.txt', 'sub']);
      expect(readdirSync(join(lease.path, 'empty'))).toEqual([]);
      expect(readFileSync(join(lease.path, 'sub/two'), 'utf8')).toBe('2');
      expect(statSync(join(lease.path, 'sub/same')).ino).toBe(statSync(join(lease.path, 'one.txt')).ino);
      expect((await cache.directory(want('s3://b/d/', { name: 'named' }))).path).toBe(lease.path);
      expect(storage.opened).toHaveLength(3);
    });

    it('hold their files as long as they are used, and show what has changed', async () => {
      cache = open(0);
      const lease = await cache.directory(want('s3://b/d'));
      expect(readFileSync(join(lease.path, 'one.txt'), 'utf8')).toBe('1');
      storage.files.set('s3://b/d/one.txt', 'changed');
      const changed = await cache.directory(want('s3://b/d'));
      expect(readFileSync(join(changed.path, 'one.txt'), 'utf8')).toBe('changed');
      expect(readFileSync(join(lease.path, 'one.txt'), 'utf8')).toBe('1');
      lease.release();
      changed.release();
      expect(cache.report().bytes).toBe(0);
      expect(readdirSync(join(directory, 'objects'))).toEqual([]);
      expect(readdirSync(join(directory, 'index'))).toEqual([]);
    });
  });

  it('keeps what this host published, by link', async () => {
    const made = join(directory, 'result');
    writeFileSync(made, 'made here');
    storage.files.set('s3://b/r', 'made here');
    cache.keep(made, { uri: 's3://b/r', version: 'v', sha1: sha1('made here') }, 'r');
    const lease = await cache.file(want('s3://b/r', { checksum: `sha1$${sha1('made here')}` }));
    expect(statSync(lease.path).ino).toBe(statSync(made).ino);
    expect([storage.stats, storage.opened.length]).toEqual([0, 0]);
  });

  it('finds itself again after a restart, without what was half done', async () => {
    storage.files.set('s3://b/d/f', 'f');
    const tree = await cache.directory(want('s3://b/d'));
    await cache.file(want(A));
    writeFileSync(join(directory, 'partial', 'half'), 'ha');
    const later = open();
    await later.file(want(A));
    expect(storage.opened).toHaveLength(2);
    expect(partial()).toEqual([]);
    const again = later.store.leaseAgain(tree.path);
    expect(again?.path).toBe(tree.path);
    expect(readFileSync(join(tree.path, 'f'), 'utf8')).toBe('f');
    expect(later.store.leaseAgain('/etc/passwd')).toBeUndefined();
    // A smaller limit: what is held again stays.
    const smaller = open(0);
    const held = smaller.store.leaseAgain(tree.path);
    smaller.store.reserve(0);
    expect([existsSync(tree.path), smaller.report().bytes]).toEqual([true, 1]);
    held?.release();
    expect(smaller.report().bytes).toBe(0);
  });
});
