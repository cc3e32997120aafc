/**
 * Stored results and the files they promise: made when a task has succeeded, checked and linked into another task's folder when one is used.
 *
 * Invariants:
 *  1. A result is used only if every file of it is there and is what it was: by its version, or, where only that differs, by its checksum.
 *  2. Files are linked (or copied by the server that holds them), never read and written again here.
 *  3. What a failed use left in the new folder is removed before anybody is told that there is no result.
 */
import type { CwlObject } from '@weft/plan';
import { isFileUri, type Storage, StorageError } from '@weft/storage';
import pLimit from 'p-limit';
import type { ContentIdMemory } from './content-ids.js';
import type { StoredFile, StoredResult } from './ports.js';
import { attach, detach, filesOf, type Surroundings } from './result-locations.js';

/** Files of one result that are looked at or linked at once. */
const AT_ONCE = 16;

export interface Usable {
  outputs: CwlObject;
  exitCode: number;
}

export class StoredResults {
  constructor(
    private readonly storage: Pick<Storage, 'stat' | 'copyTree' | 'removeTree'>,
    private readonly contents: ContentIdMemory,
    /** Ends in '/'. */
    private readonly dataUri: string,
  ) {}

  /** What is to be stored for outputs that were just published; undefined where they name files that are not the task's to give. */
  async describe(outputs: CwlObject, exitCode: number, surroundings: Surroundings): Promise<StoredResult | undefined> {
    const detached = detach(outputs, surroundings);
    if (detached === undefined || !surroundings.publishedTo.startsWith(this.dataUri)) return undefined;
    const limit = pLimit(AT_ONCE);
    const files = await Promise.all(
      [...detached.files.keys()].map((path) =>
        limit(async (): Promise<StoredFile> => {
          const uri = `${surroundings.publishedTo}${path}`;
          const stat = await this.storage.stat(uri);
          // From now on this version, and no other, is known to be what was published.
          await this.contents.described(uri, stat);
          return { path, version: stat.version, size: stat.size };
        }),
      ),
    );
    // Without a version nobody could tell later whether the file is still the same.
    if (files.some(({ version }) => version === '')) return undefined;
    return { folder: surroundings.publishedTo.slice(this.dataUri.length), outputs: detached.outputs, files, exitCode };
  }

  /** The result for a task whose files go to `surroundings.publishedTo`; undefined where a file is gone or changed. */
  async use(result: StoredResult, surroundings: Surroundings): Promise<Usable | undefined> {
    const { publishedTo } = surroundings;
    const from = `${this.dataUri}${result.folder}`;
    const { files, emptyDirectories } = filesOf(result.outputs);
    if (!(await this.all(result.files, (file) => this.isAsStored(`${from}${file.path}`, file, files.get(file.path))))) return undefined;
    // The same attempt again, after its first answer was lost: what is there is linked already.
    const paths = from === publishedTo ? [] : [...result.files.map(({ path }) => path), ...emptyDirectories];
    const linked = await this.all(paths, async (path) => {
      await this.storage.copyTree(`${from}${path}`, `${publishedTo}${path}`);
      return true;
    });
    if (!linked) {
      await this.storage.removeTree(publishedTo);
      return undefined;
    }
    // A link has the version of what it links to; what a server copied has one of its own.
    for (const { path, version } of result.files) {
      const checksum = files.get(path);
      if (checksum !== undefined) this.contents.published(`${publishedTo}${path}`, checksum, isFileUri(publishedTo) ? version : undefined);
    }
    return { outputs: attach(result.outputs, surroundings), exitCode: result.exitCode };
  }

  private async isAsStored(uri: string, stored: StoredFile, checksum: string | undefined): Promise<boolean> {
    const now = await this.storage.stat(uri);
    if (now.version === stored.version) return true;
    return (
      now.kind === 'file' && now.size === stored.size && checksum !== undefined && (await this.contents.described(uri, now)) === checksum
    );
  }

  /** False as soon as one is false, or is not there. */
  private async all<T>(items: T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
    const limit = pLimit(AT_ONCE);
    try {
      return (await Promise.all(items.map((item) => limit(() => holds(item))))).every(Boolean);
    } catch (error) {
      if (error instanceof StorageError && error.code === 'NOT_FOUND') return false;
      throw error;
    } finally {
      limit.clearQueue();
    }
  }
}
