/**
 * Where runs publish: `<dataUri>runs/<run>/<task>.<attempt>/…`, with whole logs in `logs/` beside, and how such folders go.
 *
 * Invariants:
 *  1. A folder that another run was submitted with is pinned, by an object `runs/<run>/.pins/<folder>`: it stays until its run is deleted.
 *  2. A folder in which the call cache has a result is handed to the cache.
 *  3. Removing what is gone already is not an error.
 */
import type { RetiredFolders } from '@weft/call-cache';
import { type CwlObject, visitFiles, withoutEndSlashes } from '@weft/plan';
import type { Logger } from '@weft/platform';
import { fileUriToPath, type Storage, Trash } from '@weft/storage';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { LOGS_FOLDER } from '../execution/task-spec.js';
import { orAbsent } from './archive-files.js';

const PINS = '.pins';
/** Runs and folders of tasks begin with a letter or digit. */
const OUR_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const AT_ONCE = 8;
/** Below a data directory: folders on their way out, removed by a process of its own. */
const TRASH = '.trash';

export class RunFolders {
  private readonly limit = pLimit(AT_ONCE);
  private readonly trash: Trash | undefined;

  constructor(
    private readonly storage: Storage,
    /** Ends in '/'. */
    private readonly dataUri: string,
    private readonly logger: Logger,
    private readonly cache?: RetiredFolders,
  ) {
    if (!dataUri.startsWith('file:')) return;
    const onProblem = (text: string, error: unknown): void => logger.error({ err: error }, text);
    this.trash = new Trash(join(fileUriToPath(dataUri), TRASH), onProblem);
  }

  prefixOf(runId: string): string {
    return `${this.dataUri}runs/${runId}/`;
  }

  /** Name of the task's folder that a location of the run lies in; undefined: it lies elsewhere. */
  folderOf(runId: string, location: string): string | undefined {
    const prefix = this.prefixOf(runId);
    if (!location.startsWith(prefix)) return undefined;
    const end = location.indexOf('/', prefix.length);
    return location.slice(prefix.length, end < 0 ? undefined : end);
  }

  /** Folders of tasks that are there. */
  async list(runId: string): Promise<string[]> {
    const entries = (await orAbsent(this.storage.list(this.prefixOf(runId)))) ?? [];
    return entries.map(({ name }) => name).filter((name) => name !== PINS && name !== LOGS_FOLDER);
  }

  /** Pins what an input object refers to in other runs' folders. Comes before it is made sure that the files are there. */
  async pin(inputs: CwlObject): Promise<void> {
    const prefix = `${this.dataUri}runs/`;
    const named = new Map<string, string>();
    visitFiles(inputs, ({ location }) => {
      if (!location?.startsWith(prefix)) return;
      const [runId = '', folder = ''] = location.slice(prefix.length).split('/');
      // Whoever submits chooses these names: only such as ours are followed.
      if (OUR_NAME.test(runId) && OUR_NAME.test(folder)) named.set(`${runId}/${folder}`, `${runId}/${PINS}/${folder}`);
    });
    await Promise.all(
      [...named].map(async ([folder, pin]) => {
        if (await orAbsent(this.storage.stat(prefix + folder))) await this.storage.writeText(prefix + pin, '');
      }),
    );
  }

  /** Removes folders of a run, those that are pinned excepted. */
  async remove(runId: string, folders: readonly string[]): Promise<void> {
    if (folders.length === 0) return;
    const pinned = new Set(await this.pinned(runId));
    const uris = folders.filter((folder) => !pinned.has(folder)).map((folder) => `${this.prefixOf(runId)}${folder}/`);
    const left = this.cache ? await this.cache.retire(uris) : uris;
    await this.discard(left);
  }

  /** Removes single files and directories that a run published, but for those in pinned folders. */
  async removeLocations(runId: string, locations: readonly string[]): Promise<void> {
    if (locations.length === 0) return;
    const pinned = new Set(await this.pinned(runId));
    await this.discard(locations.filter((location) => !pinned.has(this.folderOf(runId, location) ?? '')));
  }

  /** Folders that other runs were submitted with. */
  async pinned(runId: string): Promise<string[]> {
    return ((await orAbsent(this.storage.list(`${this.prefixOf(runId)}${PINS}/`))) ?? []).map(({ name }) => name);
  }

  /** All that a run published, and its whole logs. Its results go from the call cache, too: that notices. */
  async removeRun(runId: string): Promise<void> {
    await this.discard([this.prefixOf(runId)]);
  }

  /** The whole logs of a run's tasks. */
  async removeLogs(runId: string): Promise<void> {
    await this.discard([`${this.prefixOf(runId)}${LOGS_FOLDER}/`]);
  }

  /** The run's directory, where nothing is left in it (a bucket has no empty directories). */
  async removeEmpty(runId: string): Promise<void> {
    if (!this.trash) return;
    await rmdir(fileUriToPath(this.prefixOf(runId))).catch((error: unknown) => {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as { code?: string }).code ?? '')) throw error;
    });
  }

  /** Resolves when everything that was discarded is gone. */
  async close(): Promise<void> {
    await this.trash?.close();
  }

  private async discard(uris: readonly string[]): Promise<void> {
    const { trash } = this;
    if (trash) for (const uri of uris) trash.discard(withoutEndSlashes(fileUriToPath(uri)));
    else await Promise.all(uris.map((uri) => this.limit(() => this.storage.removeTree(uri))));
    if (uris.length > 0) this.logger.debug({ count: uris.length }, 'published files removed that nobody needs any more');
  }
}
