/**
 * What stands for the bytes of a file: their SHA-1 for local files, the storage's validator and the size for remote ones.
 *
 * Invariants:
 *  1. A checksum that somebody else stated is never believed, with one exception: of what weft itself published a moment ago, because
 *     the runner has just computed it. That is the version which is found before the task's answer is told to anybody (`justPublished`); of remote
 *     files, whose look costs a call, the one found at the first look, which comes at once or does not count.
 *  2. Content is read once per version of a file, off the main thread, by however many tasks wait for it.
 *  3. A local file above HASHED_BYTES stands for itself: its version (inode, size, modification time).
 *  4. A directory is looked through once per run: what a run takes in is not to change while it is going on.
 */
import { createHash } from 'node:crypto';
import { fileUriToPath, isDataUri, isFileUri, type StorageReader, type StoredStat } from '@weft/storage';
import type { FileHasher } from './file-hasher.js';
import { RecentMap } from './recent-map.js';

const HASHED_BYTES = 1024 ** 3;
const JUST_NOW_MS = 10_000;
const REMEMBERED_FILES = 20_000;
const REMEMBERED_DIRECTORIES = 1_000;

interface Known {
  /** Undefined: published, and not looked at since. */
  version: string | undefined;
  /** Where the version is not known: until when the first look may take the file for what was published. */
  untilMs: number;
  sha1: Promise<string>;
}

export class ContentIdMemory {
  private readonly files = new RecentMap<Known>(REMEMBERED_FILES);
  private readonly directories = new RecentMap<Promise<string | undefined>>(REMEMBERED_DIRECTORIES);

  constructor(
    private readonly storage: Pick<StorageReader, 'stat' | 'list'>,
    private readonly hasher: FileHasher,
    private readonly now: () => number = Date.now,
  ) {}

  /** The ids that one run sees. Errors are the storage's, but for what cannot be identified: undefined. */
  forRun(runId: string): { of(uri: string, kind: 'file' | 'directory'): Promise<string | undefined> } {
    return { of: (uri, kind) => (kind === 'file' ? this.file(uri) : this.directory(uri.replace(/\/+$/, ''), runId)) };
  }

  /** These bytes were just published, and their checksum ("sha1$…") computed from them. `version`: of the file, where that is known. */
  published(uri: string, checksum: string, version?: string): void {
    this.files.set(uri, { version, untilMs: this.now() + JUST_NOW_MS, sha1: Promise.resolve(checksum) });
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
    const known = this.files.get(uri);
    if (known !== undefined && known.version === undefined && this.now() <= known.untilMs) known.version = stat.version;
    if (stat.version !== '' && known?.version === stat.version) return known.sha1;
    if (!isFileUri(uri)) return Promise.resolve(stat.version === '' ? undefined : `version ${stat.version} ${stat.size}`);
    if (stat.size > HASHED_BYTES) return Promise.resolve(`version ${stat.version} ${stat.size}`);
    const sha1 = this.hasher.sha1(fileUriToPath(uri), stat.size).then((hex) => `sha1$${hex}`);
    this.files.set(uri, { version: stat.version, untilMs: 0, sha1 });
    sha1.catch(() => this.files.delete(uri));
    return sha1;
  }

  private directory(uri: string, runId: string): Promise<string | undefined> {
    const key = `${runId} ${uri}`;
    const known = this.directories.get(key) ?? this.look(uri);
    this.directories.set(key, known);
    known.catch(() => this.directories.delete(key));
    return known;
  }

  private async look(uri: string): Promise<string | undefined> {
    const hash = createHash('sha256');
    const add = async (directory: string, prefix: string): Promise<boolean> => {
      for (const entry of await this.storage.list(directory)) {
        const path = `${prefix}${entry.name}`;
        hash.update(`${entry.kind} ${path}\0`);
        if (entry.kind === 'directory') {
          if (!(await add(entry.uri, `${path}/`))) return false;
          continue;
        }
        const id = await this.described(entry.uri, entry);
        if (id === undefined) return false;
        hash.update(`${id}\0`);
      }
      return true;
    };
    return (await add(uri, '')) ? `tree ${hash.digest('hex')}` : undefined;
  }
}
