/**
 * Output values with paths inside the sandbox → output values with locations in storage.
 *
 * Invariants:
 *  1. One collector call publishes everything and releases the sandbox; nothing is published before the whole object is known to be right.
 *  2. What was staged from storage keeps its location and is not published again (a runner answers with where it lies).
 *  3. No `path` is left in the result.
 */
import { executor } from '@weft/contracts';
import type { CwlObject, CwlValue, DirectoryValue } from '@weft/plan';
import { isDirectory, isFile, mapFiles, visitFiles } from '@weft/plan';
import type { OutputCollector } from './api.js';
import { TaskError } from './api.js';
import type { Entry } from './file-values.js';
import { describeLiteral } from './file-values.js';
import { baseName } from './names.js';
import type { WorkDirIndex } from './work-dir-index.js';

/** A value that waits for what the runner says of a path (relative to the working directory, or absolute as the task saw it). */
interface Pending {
  path: string;
  value: Entry;
}

export class OutputPublisher {
  private readonly pending: Pending[] = [];
  private readonly known = new Set<string>();

  constructor(
    private readonly index: WorkDirIndex,
    private readonly workDir: string,
    inputs: CwlObject,
    staged: readonly executor.Input[],
  ) {
    visitFiles(inputs, (entry) => entry.location !== undefined && this.known.add(entry.location));
    for (const input of staged) if (input.source?.$case === 'uri') this.known.add(input.source.value);
  }

  exists(entry: Entry): boolean {
    return this.index.find(entry, this.known).at !== 'nowhere';
  }

  /** A copy of an output value whose Files and Directories get their locations when `publish` is called. */
  plan(value: CwlValue, where: string): CwlValue {
    return mapFiles(value, (entry) => this.planEntry(entry, where));
  }

  private planEntry(entry: Entry, where: string): Entry {
    const found = this.index.find(entry, this.known);
    if (found.at === 'nowhere') {
      throw new TaskError('OUTPUT_MISSING', `${where}: there is no ${entry.class} ${found.place}; the tool left: ${this.index.summary()}`);
    }
    const copy = bare(entry);
    copy.basename ??= baseName(entry.path ?? (found.at === 'work' ? `${this.workDir}/${found.path}` : (entry.location ?? '')));
    if (isFile(copy) && isFile(entry) && entry.secondaryFiles?.length)
      copy.secondaryFiles = entry.secondaryFiles.map((one) => this.planEntry(one, where));
    if (found.at === 'work') {
      if (found.kind !== entry.class)
        throw new TaskError('OUTPUT_TYPE', `${where}: ${found.path || '.'} is a ${found.kind}, not a ${entry.class}`);
      this.pending.push({ path: found.path === '' ? '.' : found.path, value: copy });
    } else if (found.at === 'storage') {
      copy.location = found.uri;
      // What the task was given lies with the runner: it says size and checksum, and publishes nothing.
      if (found.path !== undefined && (isDirectory(copy) || copy.checksum === undefined))
        this.pending.push({ path: found.path, value: copy });
    } else if (isFile(copy)) {
      copy.contents = found.at === 'text' ? found.text : isFile(entry) ? (entry.contents ?? '') : '';
      describeLiteral(copy);
    } else copy.listing = (isDirectory(entry) ? (entry.listing ?? []) : []).map((one) => this.planEntry(one, where));
    return copy;
  }

  /** Publishes what was planned, completes the planned values in place, and lets the sandbox go. */
  async publish(collector: OutputCollector): Promise<void> {
    const paths = [...new Set(this.pending.map((one) => one.path))];
    const items = paths.map((path) => ({ path, contents: false, contentsLimit: 0, checksum: true, publish: true }));
    const collected = await collector.collect(items, { publish: items.length > 0, release: true });
    const byPath = new Map(paths.map((path, index) => [path, collected[index]]));
    for (const { path, value } of this.pending) {
      const file = byPath.get(path);
      if (!file?.uri) throw new TaskError('OUTPUT_MISSING', `the runner did not say where it published ${path}`);
      complete(value, file);
    }
  }
}

function complete(value: Entry, file: executor.CollectedFile): void {
  value.location ??= file.uri;
  if (isDirectory(value)) value.listing = listingOf(file);
  else describe(value, file);
}

function describe(value: Entry, file: executor.CollectedFile): void {
  value['size'] = file.size;
  if (file.checksum) value['checksum'] = file.checksum;
}

function listingOf(directory: executor.CollectedFile): (Entry | DirectoryValue)[] {
  return directory.listing.map((file) => {
    const names = { location: file.uri, basename: baseName(file.path) };
    if (file.kind === executor.EntryKind.DIRECTORY) return { class: 'Directory', ...names, listing: listingOf(file) };
    const value: Entry = { class: 'File', ...names };
    describe(value, file);
    return value;
  });
}

const DECIDED_HERE = new Set(['path', 'location', 'dirname', 'nameroot', 'nameext', 'contents', 'listing', 'secondaryFiles', 'writable']);

/**
 * What an author may have set on a File or Directory, without what this module decides. Made anew and not cut down: outputs live as long as
 * their run, and an object that something was deleted from takes several times the room.
 */
function bare(entry: Entry): Entry {
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !DECIDED_HERE.has(key))) as Entry;
}
