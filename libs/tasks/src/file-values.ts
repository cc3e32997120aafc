/**
 * Files and Directories as expressions may see them: names, size, contents, listing.
 *
 * Invariants:
 *  1. I/O happens only for what is asked for; names come from the URI alone.
 *  2. A literal (no location) gets a location "_:<n>" while a task is built, so that copies of it made by expressions are recognised.
 *     `withoutTaskFields` removes it, and everything else that holds only inside one task.
 */
import { createHash } from 'node:crypto';
import type { CwlValue, DirectoryValue, Entry, FileOptions, FileValue, LoadListing } from '@weft/plan';
import {
  isDirectory,
  isFile,
  lastNameOf,
  mapFiles,
  nameInUri,
  nameProblem,
  settleEntries,
  twinsWithoutListing,
  visitFiles,
} from '@weft/plan';
import type { FileAccess, FilePreparer } from './api.js';
import { TaskError } from './api.js';
import { dirName, splitExtension } from './names.js';

/** Most that loadContents may read, in bytes (CWL v1.2, "loadContents"). */
export const CONTENTS_LIMIT = 64 * 1024;

/** No URI of storage: the value exists only as its contents or listing. */
export function isLiteral(value: Entry): boolean {
  return !value.location || value.location.startsWith('_:');
}

/** Sets basename, and on Files nameroot and nameext, from what is known. */
export function fillNames(value: Entry, fallback: string): void {
  if (!value.basename) value.basename = value.path ? lastNameOf(value.path) : isLiteral(value) ? fallback : nameInUri(value.location ?? '');
  if (isFile(value)) [value.nameroot, value.nameext] = splitExtension(value.basename);
}

/**
 * Every File and Directory that a task, a step or an expression gets or gives goes through here: in order and with a canonical location,
 * named, literals with a location of their own.
 */
export function nameAll(value: CwlValue): void {
  settle(value, true);
  let literals = 0;
  visitFiles(value, (entry) => {
    const known = /^_:(\d+)$/.exec(entry.location ?? '');
    if (known) literals = Math.max(literals, Number(known[1]));
  });
  visitFiles(value, (entry) => {
    if (!entry.location && !entry.path && (isFile(entry) ? entry.contents : entry.listing) === undefined) {
      const substance = isFile(entry) ? 'contents' : 'a listing';
      throw new TaskError('INPUT_FILE', `${entry.class} ${entry.basename ?? ''} has neither a location nor ${substance}`);
    }
    if (!entry.location && !entry.path) entry.location = `_:${++literals}`;
    fillNames(entry, `literal-${literals}`);
    plainName(entry);
    if (isFile(entry) && isLiteral(entry) && entry.contents !== undefined) entry.size = Buffer.byteLength(entry.contents);
  });
}

/** Its name. @throws TaskError INPUT_FILE where that cannot be one of a folder's */
export function plainName(value: Entry): string {
  const name = value.basename ?? '';
  const problem = nameProblem(name);
  if (problem !== undefined)
    throw new TaskError('INPUT_FILE', `${value.class} ${value.location ?? ''}: the name ${JSON.stringify(name)} ${problem}`);
  return name;
}

/** @throws TaskError INPUT_FILE */
function settle(value: CwlValue, locations: boolean): void {
  const problem = settleEntries(value, { locations });
  if (problem !== undefined) throw new TaskError('INPUT_FILE', problem);
}

/**
 * Unites equally named directories of one listing whose own listings have to be looked up for that. @throws TaskError INPUT_FILE where they
 * hold different files of one name
 */
export async function uniteTwins(value: CwlValue, access: FileAccess): Promise<boolean> {
  let united = false;
  for (let twins = twinsWithoutListing(value); twins.length > 0; twins = twinsWithoutListing(value)) {
    for (const directory of twins) directory.listing = await listEntries(directory, false, access);
    settle(value, false);
    united = true;
  }
  return united;
}

/** As nameAll; and equally named directories of one listing are one. */
export async function nameAndUnite(value: CwlValue, access: FileAccess): Promise<void> {
  nameAll(value);
  if (await uniteTwins(value, access)) nameAll(value);
}

/** Size and checksum of a literal File, which its contents say. */
export function describeLiteral(file: FileValue): void {
  const text = file.contents ?? '';
  file.size = Buffer.byteLength(text);
  file.checksum = `sha1$${createHash('sha1').update(text).digest('hex')}`;
}

/** Size of a File, looked up once; directories and literals need none. */
export async function fillSize(file: Entry, access: FileAccess): Promise<void> {
  if (!isFile(file) || file.size !== undefined || isLiteral(file)) return;
  file.size = (await onFile(file, () => access.stat(file.location ?? ''))).size;
}

/** Listings that were loaded hold sizes already: this is for the entries of literals. */
async function fillListedSizes(directory: DirectoryValue, access: FileAccess): Promise<void> {
  for (const entry of directory.listing ?? []) {
    if (isDirectory(entry)) await fillListedSizes(entry, access);
    else await fillSize(entry, access);
  }
}

async function fillContents(file: FileValue, access: FileAccess): Promise<void> {
  if (file.contents !== undefined) return;
  const { size } = await onFile(file, () => access.stat(file.location ?? ''));
  if (size > CONTENTS_LIMIT) {
    throw new TaskError(
      'CONTENTS_LIMIT',
      `loadContents: ${file.basename ?? file.location ?? 'file'} has ${size} bytes; at most ${CONTENTS_LIMIT} may be loaded`,
    );
  }
  file.size = size;
  file.contents = await onFile(file, () => access.readText(file.location ?? '', CONTENTS_LIMIT));
}

/** Sets or removes `listing` as asked. A literal's listing is its substance and stays. */
export async function fillListing(directory: DirectoryValue, loading: LoadListing, access: FileAccess): Promise<void> {
  if (isLiteral(directory)) {
    for (const entry of directory.listing ?? []) if (isDirectory(entry)) await fillListing(entry, loading, access);
    return;
  }
  delete directory.listing;
  if (loading === 'no_listing') return;
  directory.listing = await listEntries(directory, loading === 'deep_listing', access);
}

async function listEntries(directory: DirectoryValue, deep: boolean, access: FileAccess): Promise<Entry[]> {
  const found = await onFile(directory, () => access.list(directory.location ?? ''));
  const listing: Entry[] = [];
  for (const item of found) {
    const entry: Entry =
      item.kind === 'file'
        ? { class: 'File', location: item.uri, basename: item.name, size: item.size }
        : { class: 'Directory', location: item.uri, basename: item.name };
    fillNames(entry, item.name);
    if (isDirectory(entry) && deep) entry.listing = await listEntries(entry, true, access);
    listing.push(entry);
  }
  return listing;
}

/** What storage says of a file that is not there or not to be read is the user's to hear; anything else may pass, and is left to a retry. */
const FINAL_CODES = new Set<unknown>(['NOT_FOUND', 'ACCESS', 'UNSUPPORTED', 'TOO_LARGE']);

/** Runs a look-up; a final answer becomes a TaskError that names the file. */
export async function onFile<T>(value: Entry, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!FINAL_CODES.has(codeOf(error))) throw error;
    throw new TaskError('INPUT_FILE', `${value.class} ${value.location ?? value.basename ?? ''}: ${messageOf(error)}`);
  }
}

/** Structural: errors cross realms and libraries. */
function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}

export function isNotFound(error: unknown): boolean {
  return codeOf(error) === 'NOT_FOUND';
}

/** Fills in what the options ask for, for one value with its secondaryFiles. */
export async function prepareFile(value: Entry, options: FileOptions & { sizes?: boolean }, access: FileAccess): Promise<void> {
  if (isDirectory(value)) {
    await fillListing(value, options.loadListing ?? 'no_listing', access);
    if (options.sizes) await fillListedSizes(value, access);
    return;
  }
  if (options.loadContents) await fillContents(value, access);
  if (options.sizes) {
    await fillSize(value, access);
    for (const secondary of value.secondaryFiles ?? []) await fillSize(secondary, access);
  }
}

export const filePreparer: FilePreparer = {
  async prepare(value, options, access) {
    const copy = structuredClone(value);
    nameAll(copy);
    await prepareFile(copy, { ...options, sizes: true }, access);
    return copy;
  },
};

/** A copy of a value without what is true only inside one task: path, dirname, invented locations, contents of Files that lie in storage. */
export function withoutTaskFields(value: CwlValue, keepContents = false): CwlValue {
  return mapFiles(value, (entry) => stripEntry(entry, keepContents));
}

function stripEntry(entry: Entry, keepContents: boolean): Entry {
  const copy: Entry = { ...entry };
  delete copy.path;
  delete copy['dirname'];
  delete copy['writable'];
  if (isLiteral(copy)) delete copy.location;
  else if (isFile(copy) && !keepContents) delete copy.contents;
  if (isFile(copy) && copy.secondaryFiles) {
    if (copy.secondaryFiles.length === 0) delete copy.secondaryFiles;
    else copy.secondaryFiles = copy.secondaryFiles.map((item) => stripEntry(item, keepContents));
  }
  if (isDirectory(copy) && copy.listing) copy.listing = copy.listing.map((item) => stripEntry(item, keepContents));
  return copy;
}

/** Sets the path of a value and the names that follow from it. */
export function setPath(value: Entry, path: string): void {
  value.path = path;
  value['dirname'] = dirName(path);
  value.basename = path.slice(path.lastIndexOf('/') + 1);
  if (isFile(value)) [value.nameroot, value.nameext] = splitExtension(value.basename);
}
