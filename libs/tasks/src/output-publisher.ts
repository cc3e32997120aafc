/**
 * Output values with paths inside the sandbox → output values with locations in storage.
 *
 * Invariants:
 *  1. One collector call publishes everything and releases the sandbox; nothing is published before the whole object is known to be right.
 *  2. What was staged from storage keeps its location and is not published again (a runner answers with where it lies).
 *  3. No `path` is left in the result.
 *  4. Size, checksum and listing are what was found. A Directory with another listing than what lies there is what its listing says.
 */
import { executor } from '@weft/contracts';
import type { CwlObject, CwlValue, DirectoryValue, Entry } from '@weft/plan';
import { encodeUriPath, isDirectory, isFile, mapFiles, nameInUri, nameProblem, visitFiles, withoutEndSlashes } from '@weft/plan';
import type { OutputCollector } from './api.js';
import { TaskError } from './api.js';
import { describeLiteral } from './file-values.js';
import { baseName, normalizePath } from './names.js';
import type { Found, WorkDirIndex } from './work-dir-index.js';

/** A value that waits for what the runner says of a path (relative to the working directory, or absolute as the task saw it). */
interface Pending {
  path: string;
  value: Entry;
}

export class OutputPublisher {
  private readonly pending: Pending[] = [];
  /** What is known of the task's inputs, by location. */
  private readonly known = new Map<string, Entry>();

  constructor(
    private readonly index: WorkDirIndex,
    private readonly workDir: string,
    inputs: CwlObject,
  ) {
    visitFiles(inputs, (entry) => entry.location !== undefined && this.known.set(entry.location, entry));
  }

  exists(entry: Entry): boolean {
    return this.index.find(entry).at !== 'nowhere';
  }

  /** A copy of an output value whose Files and Directories get their locations when `publish` is called. */
  plan(value: CwlValue, where: string): CwlValue {
    return mapFiles(value, (entry) => this.planEntry(entry, where));
  }

  private planEntry(entry: Entry, where: string): Entry {
    const found = this.index.find(entry);
    if (found.at === 'nowhere') throw missing(entry, found, where, this.index);
    const copy = this.bare(entry, where);
    copy.basename ??= this.nameOf(entry, found);
    const problem = nameProblem(copy.basename);
    if (problem !== undefined)
      throw new TaskError('OUTPUT_TYPE', `${where}: the name ${JSON.stringify(copy.basename)} of a ${entry.class} ${problem}`);
    if (isFile(copy) && isFile(entry) && entry.secondaryFiles?.length)
      copy.secondaryFiles = entry.secondaryFiles.map((one) => this.planEntry(one, where));
    if (found.at === 'work' && found.kind !== entry.class)
      throw new TaskError('OUTPUT_TYPE', `${where}: ${found.path || '.'} is a ${found.kind}, not a ${entry.class}`);
    if (isDirectory(copy) && isDirectory(entry) && this.isMade(entry, found)) {
      copy.listing = (entry.listing ?? []).map((one) => this.planEntry(one, where));
    } else if (found.at === 'work') {
      this.pending.push({ path: found.path === '' ? '.' : found.path, value: copy });
    } else if (found.at === 'storage') {
      copy.location = found.uri;
      const { size, checksum } = found.inPlace ? {} : this.describedAs(found.uri);
      // Nobody's word is taken for size and checksum. What the task was given lies with the runner: it says both, and publishes nothing.
      if (isFile(copy) && checksum !== undefined) Object.assign(copy, { ...(size === undefined ? {} : { size }), checksum });
      else if (found.path !== undefined) this.pending.push({ path: found.path, value: copy });
    } else if (isFile(copy)) {
      copy.contents = found.at === 'text' ? found.text : isFile(entry) ? (entry.contents ?? '') : '';
      describeLiteral(copy);
    }
    return copy;
  }

  /** A Directory that is what its listing says: a literal, or one whose listing is not what lies where it says. */
  private isMade(entry: DirectoryValue, found: Found): boolean {
    if (found.at === 'literal') return true;
    if (entry.listing === undefined) return false;
    const known = found.at === 'storage' ? this.known.get(found.uri) : undefined;
    return !this.isNatural(entry.listing, found, known && isDirectory(known) ? known.listing : undefined);
  }

  /**
   * What an author may have set on a File or Directory, without what this module decides; Files in fields of somebody's own are planned like all
   * others. Made anew and not cut down: outputs live as long as their run, and an object that something was deleted from takes several times
   * the room.
   */
  private bare(entry: Entry, where: string): Entry {
    const kept = Object.entries(entry).filter(([key, value]) => value !== undefined && !DECIDED_HERE.has(key));
    return Object.fromEntries(kept.map(([key, value]) => [key, this.plan(value ?? null, where)])) as Entry;
  }

  private nameOf(entry: Entry, found: Found): string {
    if (entry.path) return baseName(normalizePath(entry.path.startsWith('/') ? entry.path : `${this.workDir}/${entry.path}`));
    if (found.at === 'work') return baseName(found.path === '' ? this.workDir : found.path);
    return nameInUri(found.at === 'storage' ? found.uri : (entry.location ?? ''));
  }

  private describedAs(uri: string): { size?: number; checksum?: string } {
    const known = this.known.get(uri);
    return known !== undefined && isFile(known) ? { size: known.size, checksum: known.checksum } : {};
  }

  /** Whether a listing beside a path or location is what lies there: complete, and every entry under its own name. */
  private isNatural(listing: readonly Entry[], directory: Found, original: readonly Entry[] | undefined): boolean {
    if (directory.at !== 'work' && directory.at !== 'storage') return false;
    if (listing.length !== (directory.at === 'work' ? this.index.count(directory.path) : original?.length)) return false;
    const names = new Set<string>();
    return (
      listing.every((child) => {
        const found = this.index.find(child);
        const name = child.basename ?? this.nameOf(child, found);
        names.add(name);
        if (isFile(child) && child.secondaryFiles?.length) return false;
        if (!isEntryOf(directory, name, found) || names.size > listing.length) return false;
        const known = original?.find((one) => one.basename === name);
        if (directory.at === 'storage' && known?.class !== child.class) return false;
        if (found.at === 'work' && found.kind !== child.class) return false;
        return (
          isFile(child) ||
          child.listing === undefined ||
          this.isNatural(child.listing, found, known && isDirectory(known) ? known.listing : undefined)
        );
      }) && names.size === listing.length
    );
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
  if ((file.kind === executor.EntryKind.DIRECTORY) !== isDirectory(value))
    throw new TaskError('OUTPUT_TYPE', `${file.path} is a ${isDirectory(value) ? 'File, not a Directory' : 'Directory, not a File'}`);
  value.location ??= file.uri;
  if (isDirectory(value)) value.listing = listingOf(file);
  else describe(value, file);
}

function describe(value: Entry, file: executor.CollectedFile): void {
  value['size'] = file.size;
  if (file.checksum) value['checksum'] = file.checksum;
}

function listingOf(directory: executor.CollectedFile): Entry[] {
  return directory.listing.map((file) => {
    const names = { location: file.uri, basename: baseName(file.path) };
    if (file.kind === executor.EntryKind.DIRECTORY) return { class: 'Directory', ...names, listing: listingOf(file) };
    const value: Entry = { class: 'File', ...names };
    describe(value, file);
    return value;
  });
}

const DECIDED_HERE = new Set<string>(
  'path location dirname nameroot nameext contents listing secondaryFiles writable size checksum'.split(' '),
);

function isEntryOf(directory: Found, name: string, found: Found): boolean {
  if (directory.at === 'work') return found.at === 'work' && found.path === (directory.path === '' ? name : `${directory.path}/${name}`);
  if (directory.at !== 'storage' || found.at !== 'storage') return false;
  return found.uri === `${withoutEndSlashes(directory.uri)}/${encodeUriPath(name)}`;
}

function missing(entry: Entry, { place, why }: Found & { at: 'nowhere' }, where: string, index: WorkDirIndex): TaskError {
  const shown = place.length > 200 ? `${place.slice(0, 200)}…` : place;
  const text = why === undefined ? `there is no ${entry.class} ${shown}` : `${entry.class} ${shown}: ${why}`;
  return new TaskError('OUTPUT_MISSING', `${where}: ${text}; the tool left: ${index.summary()}`);
}
