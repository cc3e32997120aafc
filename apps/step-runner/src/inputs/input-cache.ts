/**
 * Inputs that lie on other hosts, kept on this one by their content.
 *
 * Invariants:
 *  1. What a task gets has the checksum that its File value states, where it states one, and is of the version that lies there now,
 *     where it does not. A version that another file may have (`unsure`) is none.
 *  2. A file is on its way once, however many tasks wait for it; it stops when none does any more.
 *  3. Nothing is touched on disk before the first remote input is asked for.
 */
import { mkdirSync, rmSync } from 'node:fs';
import {
  downloadFile,
  type DownloadOptions,
  mapLimited,
  StorageError,
  type StorageReader,
  type StoredEntry,
  type StoredStat,
  withSlash,
  wrongChecksum,
} from '@weft/storage';
import { CacheStore, type IndexRecord, type Lease } from './cache-store.js';
import { SharedFetch } from './shared-fetch.js';

/** Files of one directory that are fetched together. */
const AT_ONCE = 6;

export interface InputCacheOptions {
  /** Made when it is needed; one runner each. */
  directory: string;
  limitBytes: number;
  storage: StorageReader;
  pause?: DownloadOptions['pause'];
}

export interface Wanted {
  uri: string;
  /** Of the file or directory as the task sees it. */
  name: string;
  /** "sha1$<hex>"; '': any. */
  checksum: string;
  signal: AbortSignal;
}

export class InputCache {
  private opened: CacheStore | undefined;
  private readonly underway = new Map<string, SharedFetch>();
  /** Files that were asked for and there. */
  hits = 0;
  /** Files that had to be fetched. */
  misses = 0;

  constructor(private readonly options: InputCacheOptions) {}

  get store(): CacheStore {
    if (this.opened === undefined) {
      mkdirSync(this.options.directory, { recursive: true, mode: 0o700 });
      this.opened = new CacheStore(this.options.directory, this.options.limitBytes);
    }
    return this.opened;
  }

  /** What it keeps and gave away so far, without opening it. */
  report(): { bytes: number; evictions: number; hits: number; misses: number } {
    return { bytes: this.opened?.bytes ?? 0, evictions: this.opened?.evictions ?? 0, hits: this.hits, misses: this.misses };
  }

  /** @throws StorageError; the system's error; AbortError */
  file(wanted: Wanted): Promise<Lease> {
    return this.fileOf(wanted, undefined);
  }

  /** @throws as `file` */
  async directory({ uri, name, signal }: Wanted): Promise<Lease> {
    const found: { path: string; entry: StoredEntry }[] = [];
    await this.walk(uri, '', found, signal);
    const leases: Lease[] = [];
    try {
      const sha1s = await mapLimited(found, AT_ONCE, async ({ entry }) => {
        if (entry.kind === 'directory') return undefined;
        const lease = await this.fileOf({ uri: entry.uri, name: entry.name, checksum: '', signal }, entry);
        leases.push(lease);
        return this.store.record(entry.uri)?.sha1;
      });
      return this.store.leaseTree(name, new Map(found.map(({ path }, index) => [path, sha1s[index]])));
    } finally {
      for (const lease of leases) lease.release();
    }
  }

  /** What this host has just put at a URI need not come back from there. */
  keep(hostPath: string, record: IndexRecord, name: string): void {
    this.store.addObject(hostPath, 'link', record, name).release();
  }

  private async walk(uri: string, below: string, found: { path: string; entry: StoredEntry }[], signal: AbortSignal): Promise<void> {
    for (const entry of await this.options.storage.list(withSlash(uri))) {
      signal.throwIfAborted();
      const path = below + entry.name;
      found.push({ path, entry });
      if (entry.kind === 'directory') await this.walk(entry.uri, `${path}/`, found, signal);
    }
  }

  /** @param listed what lies there now, where it is known */
  private async fileOf(wanted: Wanted, listed: StoredStat | undefined): Promise<Lease> {
    const { uri, name, checksum, signal } = wanted;
    signal.throwIfAborted();
    const known = this.known(wanted);
    if (known !== undefined) return known;
    const key = `${uri}\n${checksum}`;
    const shared = this.underway.get(key) ?? this.begin(key, wanted, listed);
    return shared.join(signal, (sha1) => {
      const lease = this.store.leaseObject(sha1, name);
      if (lease === undefined) throw new StorageError('IO', `${uri} was fetched and is gone from the cache`, uri);
      return lease;
    });
  }

  private begin(key: string, wanted: Wanted, listed: StoredStat | undefined): SharedFetch {
    const shared: SharedFetch = new SharedFetch(
      (signal, hand) => this.bring({ ...wanted, signal }, listed, hand),
      () => {
        if (this.underway.get(key) === shared) this.underway.delete(key);
      },
    );
    this.underway.set(key, shared);
    return shared;
  }

  /** By its checksum: then it does not matter what lies at the URI now. */
  private known({ uri, name, checksum }: Wanted): Lease | undefined {
    const record = checksum === '' ? undefined : this.store.record(uri);
    if (record === undefined || `sha1$${record.sha1}` !== checksum) return undefined;
    const lease = this.store.leaseObject(record.sha1, name);
    if (lease !== undefined) this.hits++;
    return lease;
  }

  /** @param hand called once, while the file is pinned */
  private async bring(wanted: Wanted, listed: StoredStat | undefined, hand: (sha1: string) => void): Promise<void> {
    const { uri, name, checksum } = wanted;
    const now = listed ?? (await this.options.storage.stat(uri));
    if (now.kind !== 'file') throw new StorageError('UNSUPPORTED', `${uri} is a directory, not a file`, uri);
    const record = this.store.record(uri);
    if (record !== undefined && record.version === now.version && now.version !== '' && now.unsure !== true) {
      if (checksum !== '' && checksum !== `sha1$${record.sha1}`) throw wrongChecksum(uri, record.sha1, checksum);
      this.hits++;
      return hand(record.sha1);
    }
    const stated = checksum.slice('sha1$'.length);
    if (checksum !== '' && this.store.sizeOf(stated) === now.size) {
      // The same bytes came from elsewhere, as those of a result that was moved.
      this.store.recordObject({ uri, version: now.version, sha1: stated });
      this.hits++;
      return hand(stated);
    }
    this.misses++;
    const settle = this.store.reserve(now.size);
    const path = this.store.temporary();
    try {
      const { storage, pause } = this.options;
      const options = { signal: wanted.signal, version: now.version, checksum, pause };
      const { sha1, version } = await downloadFile(storage, uri, path, options);
      settle();
      const pin = this.store.addObject(path, 'move', { uri, version, sha1 }, name);
      hand(sha1);
      pin.release();
    } finally {
      settle();
      rmSync(path, { force: true });
    }
  }
}
