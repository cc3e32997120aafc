/**
 * What Files and Directories of a value may be, wherever they come from: checked and put in order once, so that staging, publishing and
 * the command line mean the same by them.
 * Source: CWL v1.2 CommandLineTool §4, "File" and "Directory".
 *
 * Invariants:
 *  1. Names are plain, members have their types, and nesting has a limit: also deep inside arrays, records and extension fields.
 *  2. Of one listing, equally named directories are one directory that holds what all of them hold; an equally named file is an error, and
 *     so is one beside a secondary file of its name. The very same file twice is one file: it has one set of bytes.
 *  3. A `listing` says what its Directory holds. Where it is not what lies at the `location`, the location is given up.
 */
import { pushTo } from './lists.js';
import { canonicalUri, lastNameOf, nameInUri, withoutEndSlashes } from './locations.js';
import { nameProblem } from './plain-names.js';
import {
  type CwlObject,
  type CwlValue,
  type DirectoryValue,
  type FileValue,
  isDirectory,
  isFile,
  isFileOrDirectory,
  type Entry,
} from './values.js';

/** Levels of arrays, records, listings and secondary files within each other. */
export const MAX_NESTING = 500;

const TEXTS = ['location', 'path', 'basename', 'dirname', 'checksum', 'contents', 'format'] as const;
const LISTS = ['secondaryFiles', 'listing'] as const;
const MEMBERS = [...TEXTS, ...LISTS, 'size', 'nameroot', 'nameext'] as const;

/**
 * Puts the Files and Directories of a value in order, in place, and says what is wrong with the first that cannot be.
 * `locations`: each must be an absolute URI of a scheme that is served, and becomes canonical. Twins whose listing is not known are left.
 */
export function settleEntries(value: CwlValue | undefined, options: { locations: boolean }): string | undefined {
  try {
    settle(value, options.locations, 0);
    return undefined;
  } catch (error) {
    if (error instanceof Unsettled) return error.message;
    throw error;
  }
}

class Unsettled extends Error {}

function settle(value: CwlValue | undefined, locations: boolean, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_NESTING) throw new Unsettled(`it is nested more than ${MAX_NESTING} levels deep`);
  if (Array.isArray(value)) {
    for (const item of value) settle(item, locations, depth + 1);
    return;
  }
  const entry = isFileOrDirectory(value);
  if (entry) settleMembers(value, locations);
  for (const key of Object.keys(value)) settle(value[key], locations, depth + 1);
  if (!entry) return;
  if (isFile(value)) {
    if (value.secondaryFiles?.length) refuseClashes([value]);
  } else if (value.listing) {
    value.listing = united(value.listing);
    refuseClashes(value.listing);
  }
}

function settleMembers(entry: Entry, locations: boolean): void {
  for (const key of MEMBERS) if (entry[key] === null) delete entry[key];
  for (const key of TEXTS)
    if (entry[key] !== undefined && typeof entry[key] !== 'string') throw new Unsettled(`${shown(entry)}: ${key} must be text`);
  if (entry['size'] !== undefined && typeof entry['size'] !== 'number') throw new Unsettled(`${shown(entry)}: size must be a number`);
  for (const key of LISTS) {
    const list = entry[key] as CwlValue | undefined;
    if (list !== undefined && !(Array.isArray(list) && list.every(isFileOrDirectory)))
      throw new Unsettled(`${shown(entry)}: ${key} must be a list of Files and Directories`);
  }
  if (entry.basename === '') delete entry.basename;
  const name = entry.basename ?? nameOf(entry);
  const problem = name === undefined ? undefined : nameProblem(name);
  if (problem !== undefined) throw new Unsettled(`the name ${JSON.stringify(cut(name ?? ''))} of a ${entry.class} ${problem}`);
  if (!locations || !entry.location || entry.location.startsWith('_:')) return;
  const canonical = canonicalUri(entry.location);
  if ('problem' in canonical) throw new Unsettled(`the location ${cut(entry.location)} of a ${entry.class} ${canonical.problem}`);
  entry.location = canonical.uri;
}

/** Directories of one name → one, files told twice → one. */
function united(listing: Entry[]): Entry[] {
  const byName = new Map<string, Entry[]>();
  let twins = false;
  const kept: Entry[][] = [];
  for (const entry of listing) {
    const name = nameOf(entry);
    const others = name === undefined ? undefined : byName.get(name);
    if (others === undefined) {
      const group = [entry];
      kept.push(group);
      if (name !== undefined) byName.set(name, group);
    } else {
      twins = true;
      others.push(entry);
    }
  }
  return twins ? kept.flatMap(unitedGroup) : listing;
}

function unitedGroup(group: Entry[]): Entry[] {
  const different: Entry[] = group.length === 1 ? group : group.every(isDirectory) ? differentDirectories(group) : oneEntry(group);
  const directories = different.filter(isDirectory);
  const [first] = directories;
  if (first === undefined || different.length === 1 || directories.some((directory) => directory.listing === undefined)) return different;
  const { location: _location, path: _path, dirname: _dirname, ...kept } = first;
  const listing = united(directories.flatMap((directory) => directory.listing ?? []));
  refuseClashes(listing);
  return [{ ...kept, class: 'Directory', listing }];
}

function differentDirectories(group: readonly DirectoryValue[]): DirectoryValue[] {
  const places = new Set<string>();
  return group.filter((directory) => {
    const place = placeOf(directory);
    if (place === undefined || place.startsWith('_:')) return true;
    return !places.has(place) && places.add(place);
  });
}

/** All of one name, and not all Directories: one File, or a clash. */
function oneEntry(group: readonly Entry[]): Entry[] {
  // What has more beside it stands for the same file without.
  const first = group.reduce((most, entry) => (besides(entry) > besides(most) ? entry : most));
  const other = group.find((entry) => !isSameEntry(entry, first));
  if (other !== undefined) throw new Unsettled(clashText(first, other));
  return [first];
}

function besides(entry: Entry): number {
  return (isFile(entry) && entry.secondaryFiles?.length) || 0;
}

/** Everything that lies in one folder: entries, and what is beside them. */
function refuseClashes(entries: readonly Entry[]): void {
  const byName = new Map<string, Entry>();
  const add = (entry: Entry): void => {
    const name = nameOf(entry);
    if (name !== undefined) {
      const other = byName.get(name);
      if (other !== undefined && !isSameEntry(entry, other) && !(isDirectory(entry) && isDirectory(other)))
        throw new Unsettled(clashText(other, entry));
      byName.set(name, other ?? entry);
    }
    if (isFile(entry)) for (const secondary of entry.secondaryFiles ?? []) add(secondary);
  };
  entries.forEach(add);
  // Only of one listing are they one directory.
  for (const entry of entries) {
    for (const secondary of (isFile(entry) && entry.secondaryFiles) || []) {
      const name = nameOf(secondary);
      const other = name === undefined ? undefined : byName.get(name);
      if (other !== undefined && other !== secondary && isDirectory(other) && !isSameEntry(other, secondary))
        throw new Unsettled(clashText(other, secondary));
    }
  }
}

/** Whether two Files of one name are one file. What is written as text is like nothing but itself. */
export function isSameFile(one: FileValue, other: FileValue): boolean {
  if (one === other) return true;
  const [place, otherPlace] = [placeOf(one), placeOf(other)];
  return place !== undefined && place === otherPlace && (!place.startsWith('_:') || one.contents === other.contents);
}

function isSameEntry(one: Entry, other: Entry): boolean {
  if (isFile(one)) return isFile(other) && isSameFile(one, other) && isSameBeside(one, other);
  if (!isDirectory(other)) return false;
  const place = placeOf(one);
  return one === other || (place !== undefined && !place.startsWith('_:') && place === placeOf(other));
}

/** Secondary files that only one of two has would be lost. */
function isSameBeside(one: FileValue, other: FileValue): boolean {
  const names = (file: FileValue): string => JSON.stringify((file.secondaryFiles ?? []).map((item) => [nameOf(item), placeOf(item)]));
  return !one.secondaryFiles?.length || !other.secondaryFiles?.length || names(one) === names(other);
}

function placeOf(entry: Entry): string | undefined {
  const place = entry.location ?? entry.path;
  if (!place) return undefined;
  const canonical = canonicalUri(place);
  const text = 'uri' in canonical ? canonical.uri : place;
  return withoutEndSlashes(text) || text;
}

/** Under which an entry is staged and published; undefined for a literal without one, which gets a name that nobody else has. */
function nameOf(entry: Entry): string | undefined {
  if (entry.basename) return entry.basename;
  if (entry.path) return lastNameOf(entry.path);
  if (!entry.location || entry.location.startsWith('_:')) return undefined;
  return nameInUri(entry.location);
}

function clashText(one: Entry, other: Entry): string {
  const name = JSON.stringify(cut(nameOf(other) ?? ''));
  const what = (entry: Entry): string =>
    `a ${entry.class} ${entry.location && !entry.location.startsWith('_:') ? `at ${cut(entry.location)}` : 'that was made'}`;
  return `two things of one folder are both called ${name}: ${what(one)} and ${what(other)}`;
}

function shown(entry: Entry): string {
  return `${entry.class} ${cut(String(entry.basename ?? entry.location ?? entry.path ?? ''))}`.trim();
}

function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Calls `visit` for every Directory with a listing, its owner first, also inside fields of somebody's own. */
function visitListed(value: CwlValue | undefined, visit: (directory: DirectoryValue & { listing: Entry[] }) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) visitListed(item, visit);
    return;
  }
  if (isListed(value)) visit(value);
  for (const key of Object.keys(value)) visitListed(value[key], visit);
}

function isListed(value: CwlObject): value is DirectoryValue & { listing: Entry[] } {
  return isDirectory(value) && Boolean(value.listing);
}

/** Directories that have a namesake in their listing which they cannot be united with before their own listing is known. */
export function twinsWithoutListing(value: CwlValue | undefined): DirectoryValue[] {
  const found: DirectoryValue[] = [];
  visitListed(value, ({ listing }) => {
    const byName = new Map<string, Entry[]>();
    for (const entry of listing) pushTo(byName, nameOf(entry) ?? '', entry);
    byName.delete('');
    for (const group of byName.values())
      for (const entry of group) if (group.length > 1 && isDirectory(entry) && entry.listing === undefined) found.push(entry);
  });
  return found;
}

/**
 * A Directory of `value` whose listing is not the one that it had in `sources` becomes what its listing says, and nothing else: location
 * and path are taken away, in place. Without an original, a listing beside a location is somebody's own.
 */
export function detachChangedListings(value: CwlValue, sources: readonly CwlValue[]): void {
  let originals: Map<string, DirectoryValue[]> | undefined;
  const changed: DirectoryValue[] = [];
  visitListed(value, (directory) => {
    const { location, path, listing } = directory;
    if (!location && !path) return;
    originals ??= listedDirectories(sources);
    const known = [...(originals.get(location ?? '') ?? []), ...(originals.get(path ?? '') ?? [])];
    if (!known.some((original) => isSameListing(listing, original.listing))) changed.push(directory);
  });
  // Only now: a parent is compared with its children as they were.
  for (const directory of changed) for (const key of ['location', 'path', 'dirname']) delete directory[key];
}

function listedDirectories(sources: readonly CwlValue[]): Map<string, DirectoryValue[]> {
  const found = new Map<string, DirectoryValue[]>();
  for (const source of sources)
    visitListed(source, (directory) => {
      for (const place of new Set([directory.location, directory.path])) if (place) pushTo(found, place, directory);
    });
  return found;
}

/** An entry that lost its own listing still means the whole of its directory. */
function isSameListing(one: Entry[] | undefined, original: Entry[] | undefined): boolean {
  if (one === undefined || original === undefined) return one === undefined;
  if (one.length !== original.length) return false;
  const byName = new Map(original.map((entry) => [nameOf(entry), entry]));
  return (
    byName.size === original.length &&
    new Set(one.map(nameOf)).size === one.length &&
    one.every((entry) => isUnchanged(entry, byName.get(nameOf(entry))))
  );
}

function isUnchanged(entry: Entry, original: Entry | undefined): boolean {
  if (original === undefined || entry.class !== original.class || entry.location !== original.location) return false;
  if (isDirectory(entry)) return isSameListing(entry.listing, (original as DirectoryValue).listing);
  const { secondaryFiles, contents, location } = original as FileValue;
  if ((location === undefined || location.startsWith('_:')) && entry.contents !== contents) return false;
  return isSameListing(entry.secondaryFiles ?? [], secondaryFiles ?? []);
}
