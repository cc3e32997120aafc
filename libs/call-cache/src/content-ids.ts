/**
 * What stands for the bytes of a file: their SHA-1 for local files, the storage's validator and the size for remote ones.
 *
 * Invariants:
 *  1. Nothing that whoever replaces a file can keep decides: of a local file the version has its time of change, which nobody can set, and where that
 *     is too young to tell two changes apart (`unsure`), its bytes are read again for each who asks. A remote file without a strong validator, and
 *     a large local one that is unsure, have no id: tasks that take them are executed.
 *  2. A checksum that somebody else stated is never believed, with one exception: of what weft itself published a moment ago, because
 *     the runner has just computed it. That is the version which is found before the task's answer is told to anybody (`justPublished`); of remote
 *     files, whose look costs a call, the one found at the first look, which comes at once or does not count.
 *  3. Content is read once per version of a file, off the main thread, by however many tasks wait for it.
 *  4. A local file above HASHED_BYTES stands for itself: its version.
 *  5. A directory is everything below it. One look counts for the tasks that a run begins within LOOKED_MS; before a result is stored, it is looked
 *     through again. One with more than ENTRIES, or deeper than DEPTH, has no id.
 */
import { withoutEndSlashes } from '@weft/plan';
import { createHash, type Hash } from 'node:crypto';
import { fileUriToPath, isDataUri, isFileUri, type StorageReader, type StoredStat } from '@weft/storage';
import type { FileHasher } from './file-hasher.js';
import { RecentMap } from './recent-map.js';
import { SharedLooks } from './shared-looks.js';

const HASHED_BYTES = 1024 ** 3;
const JUST_NOW_MS = 10_000;
const LOOKED_MS = 10_000;
const REMEMBERED_FILES = 20_000;
const REMEMBERED_DIRECTORIES = 1_000;
export const LIMITS = { entries: 100_000, depth: 100 };

/** Of a remote file. */
interface Known {
  /** Undefined: published, and not looked at since. */
  version: string | undefined;
  /** Where the version is not known: until when the first look may take the file for what was published. */
  untilMs: number;
  checksum: string;
}

interface Look {
  atMs: number;
  id: Promise<string | undefined>;
}

export interface RunContentIds {
  of(uri: string, kind: 'file' | 'directory'): Promise<string | undefined>;
}

export class ContentIdMemory {
  /** Local files, by their version, which no other file has. */
  private readonly local = new RecentMap<Promise<string>>(REMEMBERED_FILES);
  private readonly remote = new RecentMap<Known>(REMEMBERED_FILES);
  private readonly directories = new RecentMap<Look>(REMEMBERED_DIRECTORIES);
  private readonly hashing = new SharedLooks<string>();
  private readonly looking = new SharedLooks<string | undefined>();

  constructor(
    private readonly storage: Pick<StorageReader, 'stat' | 'list'>,
    private readonly hasher: FileHasher,
    private readonly now: () => number = Date.now,
  ) {}

  /** The ids that one run sees when it begins tasks. Errors are the storage's, but for what cannot be identified: undefined. */
  forRun(runId: string): RunContentIds {
    return { of: (uri, kind) => (kind === 'file' ? this.file(uri) : this.directory(withoutEndSlashes(uri), runId)) };
  }

  /** The ids as they are now, for who stores a result of that run. */
  anew(runId: string): RunContentIds {
    return { of: (uri, kind) => (kind === 'file' ? this.file(uri) : this.directoryAnew(withoutEndSlashes(uri), runId)) };
  }

  /** These bytes were just published, and their checksum ("sha1$…") computed from them. `version`: of the file, where that is known. */
  published(uri: string, checksum: string, version?: string): void {
    if (!isFileUri(uri)) this.remote.set(uri, { version, untilMs: this.now() + JUST_NOW_MS, checksum });
    else if (version !== undefined) this.local.set(version, Promise.resolve(checksum));
  }

  /**
   * As `published`, for who knows it before anybody else can: a local file is looked at now, and what is found is it. Later it could be what
   * somebody put in its place.
   */
  async justPublished(uri: string, checksum: string): Promise<void> {
    if (!isFileUri(uri)) return this.published(uri, checksum);
    const found = await this.storage.stat(uri).catch(() => undefined);
    if (found?.kind === 'file') this.published(uri, checksum, found.version);
  }

  async file(uri: string): Promise<string | undefined> {
    if (isDataUri(uri)) return `data ${createHash('sha256').update(uri).digest('hex')}`;
    return this.described(uri, await this.storage.stat(uri));
  }

  /** As `file`, of a file that was looked at already. */
  described(uri: string, stat: StoredStat): Promise<string | undefined> {
    if (!isFileUri(uri)) return Promise.resolve(this.validated(uri, stat));
    const known = this.local.get(stat.version);
    if (known !== undefined) return known;
    if (stat.size <= HASHED_BYTES) return this.bytesOf(uri, stat);
    return Promise.resolve(stat.unsure === true ? undefined : `version ${stat.version} ${stat.size}`);
  }

  /** Of a local file that was looked at already, whatever its size: "sha1$…" of the bytes that it has now. */
  async bytesOf(uri: string, stat: StoredStat): Promise<string> {
    const hash = (): Promise<string> => this.hasher.sha1(fileUriToPath(uri), stat.size).then((hex) => `sha1$${hex}`);
    if (stat.unsure === true) return this.hashing.ask(stat.version, hash);
    const known = this.local.get(stat.version);
    if (known !== undefined) return known;
    const sha1 = hash();
    this.local.set(stat.version, sha1);
    const forget = (): void => this.local.delete(stat.version);
    // What was read is remembered as that version's only if the version was still there afterwards.
    void sha1.then(() => this.storage.stat(uri)).then((after) => after.version !== stat.version && forget(), forget);
    return sha1;
  }

  private validated(uri: string, { version, size, unsure }: StoredStat): string | undefined {
    const known = this.remote.get(uri);
    if (known !== undefined && known.version === undefined && this.now() <= known.untilMs) known.version = version;
    if (version === '') return undefined;
    if (known?.version === version) return known.checksum;
    return unsure === true ? undefined : `version ${version} ${size}`;
  }

  private directory(uri: string, runId: string): Promise<string | undefined> {
    const known = this.directories.get(`${runId} ${uri}`);
    if (known !== undefined && this.now() - known.atMs <= LOOKED_MS) return known.id;
    return this.directoryAnew(uri, runId);
  }

  private directoryAnew(uri: string, runId: string): Promise<string | undefined> {
    const key = `${runId} ${uri}`;
    const look: Look = { atMs: this.now(), id: this.looking.ask(uri, () => this.look(uri)) };
    this.directories.set(key, look);
    look.id.catch(() => this.directories.get(key) === look && this.directories.delete(key));
    return look.id;
  }

  private async look(uri: string): Promise<string | undefined> {
    const walk: Walk = { hash: createHash('sha256'), left: LIMITS.entries };
    return (await this.add(walk, uri, '', LIMITS.depth)) ? `tree ${walk.hash.digest('hex')}` : undefined;
  }

  /** False: it has no id. */
  private async add(walk: Walk, directory: string, prefix: string, depth: number): Promise<boolean> {
    if (depth === 0) return false;
    for (const entry of await this.storage.list(directory)) {
      const path = `${prefix}${entry.name}`;
      if ((walk.left -= 1) < 0) return false;
      walk.hash.update(`${entry.kind} ${path}\0`);
      if (entry.kind === 'directory') {
        if (!(await this.add(walk, entry.uri, `${path}/`, depth - 1))) return false;
        continue;
      }
      const id = await this.described(entry.uri, entry);
      if (id === undefined) return false;
      walk.hash.update(`${id}\0`);
    }
    return true;
  }
}

interface Walk {
  hash: Hash;
  left: number;
}
