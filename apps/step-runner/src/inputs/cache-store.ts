/**
 * What the input cache keeps on disk, and what goes when there is too much of it. Knows nothing of networks.
 *
 *   objects/<sha1>/<name>      bytes by their hash; further names are hard links
 *   trees/<id>/<name>/…        directories, made of hard links to objects; trees/<id>/members.json names these
 *   index/<hash of URI>.json   which object lies at a URI, and in which version
 *   partial/                   what is being made
 *
 * Invariants:
 *  1. What is below objects/ and trees/ is whole: it is made in partial/ and renamed. An earlier life's partial/ is removed.
 *  2. What is pinned is not removed; a tree pins its objects. The rest goes least recently used first, once there is more than the limit.
 *  3. Files are read-only.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { linkOrCopy, takeIn } from './take-in.js';

export interface IndexRecord {
  uri: string;
  version: string;
  sha1: string;
}

interface Entry {
  bytes: number;
  pins: number;
  /** Of a tree: the ids of its objects. */
  members: readonly string[];
  /** URIs whose records lead here. */
  uris: Set<string>;
}

export interface Lease {
  path: string;
  release(): void;
}

export class CacheStore {
  private readonly entries = new Map<string, Entry>();
  private readonly records = new Map<string, IndexRecord>();
  private kept = 0;
  private reserved = 0;
  /** Entries that were removed to make room. */
  evictions = 0;

  /** @param limitBytes may be exceeded by what is pinned */
  constructor(
    private readonly directory: string,
    private readonly limitBytes: number,
  ) {
    rmSync(this.at('partial'), { recursive: true, force: true });
    for (const name of ['objects', 'trees', 'index', 'partial']) mkdirSync(this.at(name), { recursive: true });
    this.load();
  }

  get bytes(): number {
    return this.kept;
  }

  record(uri: string): IndexRecord | undefined {
    return this.records.get(uri);
  }

  /** A path in partial/ that nobody uses. */
  temporary(): string {
    return this.at('partial', randomBytes(9).toString('hex'));
  }

  /** Makes room for what will come, and keeps it until it is told that it came. */
  reserve(bytes: number): () => void {
    this.reserved += bytes;
    this.evict();
    let open = true;
    return () => {
      if (open) this.reserved -= bytes;
      open = false;
    };
  }

  /** An object under a name; undefined where it is not kept. */
  leaseObject(sha1: string, name: string): Lease | undefined {
    const id = `objects/${sha1}`;
    if (!this.entries.has(id)) return undefined;
    const path = this.at(id, name);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) linkOrCopy(this.objectPath(sha1), path);
    return this.lease(id, path);
  }

  /** Bytes of an object; undefined where it is not kept. */
  sizeOf(sha1: string): number | undefined {
    return this.entries.get(`objects/${sha1}`)?.bytes;
  }

  /** An object that is kept lies at another URI too. */
  recordObject(record: IndexRecord): void {
    this.remember(record);
  }

  /** Takes a file in: moved from partial/, or linked from elsewhere (copied where it cannot be linked). Known bytes are kept once. */
  addObject(from: string, how: 'move' | 'link', record: IndexRecord, name: string): Lease {
    const id = `objects/${record.sha1}`;
    if (!this.entries.has(id)) {
      const made = this.temporary();
      mkdirSync(made);
      takeIn(from, how, join(made, name));
      renameSync(made, this.at(id));
      this.admit(id, { bytes: statSync(this.at(id, name)).size, pins: 0, members: [], uris: new Set() });
    } else if (how === 'move') rmSync(from);
    this.remember(record);
    const lease = this.lease(id, this.at(id, name));
    this.evict();
    return lease;
  }

  /** A directory whose files are objects that are kept. @param files by path below it; undefined: an empty directory */
  leaseTree(name: string, files: ReadonlyMap<string, string | undefined>): Lease {
    const listing = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
    const id = `trees/${hashOf(JSON.stringify([name, listing]))}`;
    if (!this.entries.has(id)) {
      const made = this.temporary();
      mkdirSync(join(made, name), { recursive: true });
      for (const [path, sha1] of listing) {
        const target = join(made, name, path);
        mkdirSync(sha1 === undefined ? target : dirname(target), { recursive: true });
        if (sha1 !== undefined) linkOrCopy(this.objectPath(sha1), target);
      }
      const members = [...new Set([...files.values()].filter((sha1) => sha1 !== undefined))].map((sha1) => `objects/${sha1}`);
      writeFileSync(join(made, MEMBERS), JSON.stringify(members));
      renameSync(made, this.at(id));
      this.admit(id, { bytes: 0, pins: 0, members, uris: new Set() });
    }
    return this.lease(id, this.at(id, name));
  }

  /** Of an earlier life; undefined where the path is not of this cache, or gone. */
  leaseAgain(path: string): Lease | undefined {
    const [kind = '', hash = ''] = relative(this.directory, path).split('/');
    const id = `${kind}/${hash}`;
    if (!this.entries.has(id) || statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return this.lease(id, path);
  }

  private lease(id: string, path: string): Lease {
    const entry = this.entry(id);
    entry.pins++;
    this.touch(id, entry);
    let held = true;
    return {
      path,
      release: () => {
        if (!held) return;
        held = false;
        entry.pins--;
        this.evict();
      },
    };
  }

  private admit(id: string, entry: Entry): void {
    this.entries.set(id, entry);
    this.kept += entry.bytes;
    for (const member of entry.members) this.entry(member).pins++;
  }

  private touch(id: string, entry: Entry): void {
    this.entries.delete(id);
    this.entries.set(id, entry);
    const now = new Date();
    utimesSync(this.at(id), now, now);
  }

  private remember(record: IndexRecord): void {
    const known = this.records.get(record.uri);
    if (known !== undefined) this.entries.get(`objects/${known.sha1}`)?.uris.delete(record.uri);
    this.records.set(record.uri, record);
    this.entry(`objects/${record.sha1}`).uris.add(record.uri);
    const made = this.temporary();
    writeFileSync(made, JSON.stringify(record));
    renameSync(made, this.indexPath(record.uri));
  }

  private evict(): void {
    if (this.kept + this.reserved <= this.limitBytes) return;
    // Trees are tried first: nothing is gained by them, but what they pin may go then.
    for (const kind of ['trees/', 'objects/']) {
      for (const [id, entry] of this.entries) {
        if (this.kept + this.reserved <= this.limitBytes) return;
        if (id.startsWith(kind) && entry.pins === 0) this.remove(id, entry);
      }
    }
  }

  private remove(id: string, entry: Entry): void {
    this.entries.delete(id);
    this.kept -= entry.bytes;
    this.evictions++;
    for (const uri of entry.uris) {
      this.records.delete(uri);
      rmSync(this.indexPath(uri), { force: true });
    }
    for (const member of entry.members) this.entry(member).pins--;
    const going = this.temporary();
    renameSync(this.at(id), going);
    rmSync(going, { recursive: true });
  }

  /** What an earlier life kept, in the order in which it was used. What is not whole, as after a crash of the machine, goes. */
  private load(): void {
    const found = ['objects', 'trees'].flatMap((kind) =>
      readdirSync(this.at(kind)).map((hash) => ({ id: `${kind}/${hash}`, at: statSync(this.at(kind, hash)).mtimeMs })),
    );
    const byUse = found.sort((a, b) => Number(a.id.startsWith('trees')) - Number(b.id.startsWith('trees')) || a.at - b.at);
    for (const { id } of byUse) {
      const entry = this.readEntry(id);
      if (entry === undefined) rmSync(this.at(id), { recursive: true });
      else this.admit(id, entry);
    }
    for (const file of readdirSync(this.at('index'))) {
      const record = JSON.parse(readFileSync(this.at('index', file), 'utf8')) as IndexRecord;
      const entry = this.entries.get(`objects/${record.sha1}`);
      if (entry === undefined) rmSync(this.at('index', file));
      else {
        entry.uris.add(record.uri);
        this.records.set(record.uri, record);
      }
    }
  }

  private readEntry(id: string): Entry | undefined {
    if (id.startsWith('objects/')) {
      const [name] = readdirSync(this.at(id));
      return name === undefined ? undefined : { bytes: statSync(this.at(id, name)).size, pins: 0, members: [], uris: new Set() };
    }
    const members = JSON.parse(readFileSync(this.at(id, MEMBERS), 'utf8')) as string[];
    return members.every((member) => this.entries.has(member)) ? { bytes: 0, pins: 0, members, uris: new Set() } : undefined;
  }

  private entry(id: string): Entry {
    const entry = this.entries.get(id);
    if (entry === undefined) throw new Error(`the input cache does not hold ${id}`);
    return entry;
  }

  private objectPath(sha1: string): string {
    const [name] = readdirSync(this.at(`objects/${sha1}`));
    if (name === undefined) throw new Error(`the input cache does not hold objects/${sha1}`);
    return this.at('objects', sha1, name);
  }

  private indexPath(uri: string): string {
    return this.at('index', `${hashOf(uri)}.json`);
  }

  private at(...parts: string[]): string {
    return join(this.directory, ...parts);
  }
}

/** Beside the tree, so under a name that no input has. */
const MEMBERS = '\nmembers.json';

function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
