/**
 * Stored results and the files they promise: made when a task has succeeded, taken into another task's folder and checked when one is used.
 *
 * Invariants:
 *  1. A result is used only if every file of it is there and is what it was: a local one by its bytes, which are read each time, a remote one by
 *     its version.
 *  2. What is checked is what was taken, where it is used: whatever has the old name by then, or gets it between two looks, is not asked.
 *  3. Files are linked (or copied by the server that holds them), never read and written again here.
 *  4. What a failed use left in the new folder is removed before anybody is told that there is no result.
 *  5. Only what has the checksum that the task's outputs state is stored.
 */
import type { CwlObject } from '@weft/plan';
import { isFileUri, type Storage, StorageError, systemErrorCode } from '@weft/storage';
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
    private readonly storage: Pick<Storage, 'stat' | 'list' | 'copyTree' | 'removeTree'>,
    private readonly contents: ContentIdMemory,
    /** Ends in '/'. */
    private readonly dataUri: string,
  ) {}

  /** What is to be stored for outputs that were just published; undefined where they name files that are not the task's to give. */
  async describe(outputs: CwlObject, exitCode: number, surroundings: Surroundings): Promise<StoredResult | undefined> {
    const detached = detach(outputs, surroundings);
    if (detached === undefined || !surroundings.publishedTo.startsWith(this.dataUri)) return undefined;
    const limit = pLimit(AT_ONCE);
    let asStated = true;
    const files = await Promise.all(
      [...detached.files].map(([path, checksum]) =>
        limit(async (): Promise<StoredFile> => {
          const uri = `${surroundings.publishedTo}${path}`;
          const stat = await this.storage.stat(uri);
          if (stat.unsure === true && !isFileUri(uri)) return { path, version: '', size: stat.size };
          // From now on this version, and no other, is known to be what was published; if it is.
          const id = await this.contents.described(uri, stat);
          if (checksum !== undefined && id?.startsWith('sha1$') === true && id !== checksum) asStated = false;
          return { path, version: stat.version, size: stat.size };
        }),
      ),
    );
    // Somebody was there before us: those who look for the result are to make their own.
    if (!asStated) return undefined;
    // Without a version, or a local file's checksum, nobody could tell later whether the file is still the same.
    if (files.some(({ version }) => version === '')) return undefined;
    const local = isFileUri(surroundings.publishedTo);
    if (local && [...detached.files.values()].some((checksum) => checksum?.startsWith('sha1$') !== true)) return undefined;
    return { folder: surroundings.publishedTo.slice(this.dataUri.length), outputs: detached.outputs, files, exitCode };
  }

  /** The result for a task whose files go to `surroundings.publishedTo`; undefined where a file is gone or changed. Rejects where storage fails. */
  async use(result: StoredResult, surroundings: Surroundings): Promise<Usable | undefined> {
    const { publishedTo } = surroundings;
    const from = `${this.dataUri}${result.folder}`;
    // The same attempt again, after its first answer was lost: what is there was taken already.
    const own = from === publishedTo;
    const { files, emptyDirectories } = filesOf(result.outputs);
    let taken = false;
    try {
      taken =
        (await this.all(result.files, (file) => this.takes(file, files.get(file.path), from, publishedTo))) &&
        (await this.all(own ? [] : emptyDirectories, (path) => this.takesEmpty(path, from, publishedTo)));
    } finally {
      if (!taken && !own) await this.storage.removeTree(publishedTo);
    }
    return taken ? { outputs: attach(result.outputs, surroundings), exitCode: result.exitCode } : undefined;
  }

  private async takes(stored: StoredFile, checksum: string | undefined, from: string, to: string): Promise<boolean> {
    const [source, target] = [`${from}${stored.path}`, `${to}${stored.path}`];
    if (isFileUri(target)) {
      if (source !== target) {
        // Not what decides: a folder in its place, or a link to one, is not to be taken with all that it has.
        const { kind, size } = await this.storage.stat(source);
        if (kind !== 'file' || size !== stored.size) return false;
        await this.storage.copyTree(source, target);
      }
      return this.hasBytes(target, stored, checksum);
    }
    // A server's copy has a version of its own. Where the source had the stored one before and after, that is what was copied.
    if (!(await this.hasVersion(source, stored))) return false;
    if (source === target) return true;
    await this.storage.copyTree(source, target);
    if (!(await this.hasVersion(source, stored))) return false;
    if (checksum !== undefined) this.contents.published(target, checksum);
    return true;
  }

  private async takesEmpty(path: string, from: string, to: string): Promise<boolean> {
    await this.storage.copyTree(`${from}${path}`, `${to}${path}`);
    return (await this.storage.list(`${to}${path}`)).length === 0;
  }

  /** Its version says nothing: it is another with every task that links the file. */
  private async hasBytes(uri: string, stored: StoredFile, checksum: string | undefined): Promise<boolean> {
    const now = await this.storage.stat(uri);
    if (now.kind !== 'file' || now.size !== stored.size || checksum === undefined) return false;
    if ((await this.contents.bytesOf(uri, now)) !== checksum) return false;
    this.contents.published(uri, checksum, now.version);
    return true;
  }

  private async hasVersion(uri: string, stored: StoredFile): Promise<boolean> {
    return (await this.storage.stat(uri)).version === stored.version;
  }

  /**
   * False where one is, or is not there, or is something else than it was: a link to nowhere, a pipe, what nobody may read. The others are not
   * begun then; those under way are waited for, so that nothing appears after the answer.
   */
  private async all<T>(items: T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
    const limit = pLimit(AT_ONCE);
    let go = true;
    const results = await Promise.allSettled(
      items.map((item) =>
        limit(async () => {
          if (!go) return;
          try {
            go = (await holds(item)) && go;
          } catch (error) {
            go = false;
            if (!isGone(error)) throw error;
          }
        }),
      ),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return go;
  }
}

/** Not for want of storage that works: trying again would say the same. */
function isGone(error: unknown): boolean {
  if (error instanceof StorageError) return error.code !== 'IO' && error.code !== 'FULL';
  // From reading a file's bytes.
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP'].includes(systemErrorCode(error) ?? '');
}
