/**
 * What an output object leaves to be looked up: names that are not given, and what lies in directories without a listing.
 *
 * Invariants:
 *  1. Every File and Directory of the result has a basename, and every Directory whose files can be brought here a listing.
 *  2. Reading ends: a directory that holds itself by a link is not entered again, and depth and count have limits.
 *  3. What cannot be a File (a link that leads nowhere, a FIFO, a name that is not UTF-8) is left out of the listing and told.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type CwlObject,
  type CwlValue,
  type DirectoryValue,
  type FileValue,
  isFileOrDirectory,
  isObject,
  withoutEndSlashes,
  type Entry,
} from '@weft/plan';
import { shownLine } from '../shown-text.js';
import { DeliveryError, codeOf } from './delivery-error.js';
import { type FileOps, identityOf } from './folder.js';
import { type RemoteFiles, isRemote } from './remote-files.js';

const MAX_DEPTH = 256;
const MAX_ENTRIES = 1_000_000;
/** Folders and files of deliveries that are under way; they are nobody's content. */
export const OWN_NAME = /^\.weft-(delivery-|probe-|outdir-lock)/;

export class Sources {
  private entries = 0;

  constructor(
    private readonly ops: FileOps,
    private readonly remote: Pick<RemoteFiles, 'list'>,
    private readonly tell: (line: string) => void,
  ) {}

  async complete(value: CwlObject): Promise<CwlObject> {
    return (await this.value(value)) as CwlObject;
  }

  private async value(value: CwlValue): Promise<CwlValue> {
    if (Array.isArray(value)) return sequentially(value, (item) => this.value(item));
    if (isFileOrDirectory(value)) return this.entry(value, 0);
    if (!isObject(value)) return value;
    const members = await sequentially(Object.entries(value), async ([key, member]) => [key, await this.value(member ?? null)] as const);
    return Object.fromEntries(members);
  }

  private async entry(entry: Entry, depth: number): Promise<Entry> {
    this.count(depth, entry.location ?? '');
    const named = { ...entry, basename: entry.basename ?? nameOf(entry) };
    if (named.class === 'File') {
      const { secondaryFiles } = named as FileValue;
      if (!secondaryFiles?.length) return named;
      return { ...named, secondaryFiles: await sequentially(secondaryFiles, (item) => this.entry(item, depth + 1)) };
    }
    const listing = (named as DirectoryValue).listing ?? (await this.listing(named.location, depth));
    return listing === undefined ? named : { ...named, listing: await sequentially(listing, (item) => this.entry(item, depth + 1)) };
  }

  private count(depth: number, where: string): void {
    this.entries += 1;
    if (depth > MAX_DEPTH) throw new DeliveryError(`${shownLine(where)} is more than ${MAX_DEPTH} folders deep`);
    if (this.entries > MAX_ENTRIES) throw new DeliveryError(`the outputs are more than ${MAX_ENTRIES} files and folders`);
  }

  /** Undefined where the directory is neither on this machine nor in a storage that it can read: its location is the answer. */
  private async listing(location: string | undefined, depth: number): Promise<Entry[] | undefined> {
    if (location === undefined) return [];
    if (isRemote(location)) {
      const found = await this.remote.list(location);
      return found.map(({ kind, uri, name }) => entryOf(kind === 'file' ? 'File' : 'Directory', uri, name));
    }
    return isLocal(location) ? this.read(localPath(location), [], depth) : undefined;
  }

  /** `above`: the directories that this one was reached through. */
  private async read(directory: string, above: readonly string[], depth: number): Promise<Entry[]> {
    const identity = identityOf(await this.ops.stat(directory, { bigint: true }).catch((error: unknown) => missing(error, directory)));
    if (above.includes(identity)) throw new DeliveryError(`${shownLine(directory)} holds itself, by a link`);
    const names = await this.ops.readdir(directory, { encoding: 'buffer' });
    const entries: Entry[] = [];
    for (const raw of names.sort(Buffer.compare)) {
      const name = raw.toString();
      if (OWN_NAME.test(name)) continue;
      this.count(depth, directory);
      const entry = isUtf8(raw) ? await this.found(join(directory, name), name, [...above, identity], depth) : 'its name is not UTF-8';
      if (typeof entry === 'string') this.tell(`${shownLine(join(directory, name))} is left out: ${entry}`);
      else entries.push(entry);
    }
    return entries;
  }

  private async found(path: string, name: string, above: readonly string[], depth: number): Promise<Entry | string> {
    if (above.length > MAX_DEPTH) throw new DeliveryError(`${shownLine(path)} is more than ${MAX_DEPTH} folders deep`);
    try {
      const stat = await this.ops.stat(path);
      const uri = pathToFileURL(path).href;
      if (stat.isFile()) return entryOf('File', uri, name);
      if (!stat.isDirectory()) return 'it is neither a file nor a folder';
      return { ...entryOf('Directory', uri, name), listing: await this.read(path, above, depth + 1) } as Entry;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 'it is a link that leads nowhere';
      if (codeOf(error) === 'ELOOP') return 'it is a loop of links';
      throw error;
    }
  }
}

/** On this machine's disks, as far as the location says. */
export function isLocal(location: string): boolean {
  return /^file:/i.test(location);
}

export function localPath(location: string): string {
  try {
    return fileURLToPath(location);
  } catch {
    throw new DeliveryError(`${shownLine(location)} names no file of this machine`);
  }
}

export function missing(error: unknown, path: string): never {
  if (codeOf(error) !== 'ENOENT') throw error;
  throw new DeliveryError(`${shownLine(path)} is not on this machine: it was published by a service elsewhere, or has been deleted`);
}

function entryOf(kind: 'File' | 'Directory', location: string, basename: string): Entry {
  return { class: kind, location, basename } as Entry;
}

/** The last part of its location, else a name made from its content. */
function nameOf(entry: Entry): string {
  const last = withoutEndSlashes(entry.location ?? '')
    .split('/')
    .at(-1);
  if (last) {
    try {
      return decodeURIComponent(last);
    } catch {
      return last;
    }
  }
  const content = entry.class === 'File' ? (entry as FileValue).contents : (entry as DirectoryValue).listing;
  return createHash('sha1')
    .update(JSON.stringify(content) ?? '')
    .digest('hex');
}

async function sequentially<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
