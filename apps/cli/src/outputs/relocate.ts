/**
 * Brings the outputs of a run into the output directory and says in the output object where they are now.
 * Files are copied (as clones where the file system can), never moved or linked: what the run published stays as it was.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename as baseName, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CwlObject, type CwlValue, type DirectoryValue, type FileValue, isFileOrDirectory, isObject, visitFiles } from '@weft/plan';
import { NamePlan } from './name-plan.js';
import { isRemote, RemoteFiles } from './remote-files.js';

type Entry = FileValue | DirectoryValue;

/** `inputs`: the run's input object; its files are never overwritten. */
export async function relocateOutputs(outputs: CwlObject, outdir: string, inputs: CwlObject): Promise<CwlObject> {
  const protectedPaths = localPaths(inputs);
  const names = new NamePlan((relative, identity) => {
    const target = join(outdir, relative);
    return protectedPaths.has(target) && identity !== pathToFileURL(target).href;
  });
  await mkdir(outdir, { recursive: true });
  const remote = new RemoteFiles();
  try {
    return (await new Relocation(outdir, names, remote).value(outputs)) as CwlObject;
  } finally {
    await remote.close();
  }
}

function localPaths(value: CwlValue): Set<string> {
  const paths = new Set<string>();
  visitFiles(value, (entry) => {
    if (entry.location?.startsWith('file:')) paths.add(fileURLToPath(entry.location));
  });
  return paths;
}

class Relocation {
  constructor(
    private readonly outdir: string,
    private readonly names: NamePlan,
    private readonly remote: RemoteFiles,
  ) {}

  async value(value: CwlValue): Promise<CwlValue> {
    if (Array.isArray(value)) return sequentially(value, (item) => this.value(item));
    if (isFileOrDirectory(value)) return this.topLevel(value);
    if (!isObject(value)) return value;
    const entries = await sequentially(Object.entries(value), async ([key, member]) => [key, await this.value(member ?? null)] as const);
    return Object.fromEntries(entries);
  }

  private async topLevel(entry: Entry): Promise<CwlValue> {
    const named = withNames(entry);
    const directory = join(this.outdir, this.names.directoryFor(named));
    await mkdir(directory, { recursive: true });
    return this.entry(named, directory);
  }

  private entry(entry: Entry, directory: string): Promise<Entry> {
    return entry.class === 'File' ? this.file(entry as FileValue, directory) : this.directory(entry as DirectoryValue, directory);
  }

  private async file(file: FileValue, directory: string): Promise<FileValue> {
    const target = join(directory, file.basename ?? '');
    const { contents, dirname: _dirname, nameroot: _nameroot, nameext: _nameext, secondaryFiles, ...kept } = file;
    if (file.location === undefined) await writeFile(target, contents ?? '');
    else if (isRemote(file.location)) await this.remote.fetch(file.location, target, file.checksum);
    else if (isElsewhere(file.location)) return file;
    else await copyTo(fileURLToPath(file.location), target);
    const result: FileValue = { ...kept, class: 'File', location: pathToFileURL(target).href, path: target };
    if (file.location !== undefined && contents !== undefined) result.contents = contents;
    result.size = file.size ?? (await stat(target)).size;
    result.checksum = file.checksum ?? (await sha1(target));
    if (secondaryFiles?.length) result.secondaryFiles = await sequentially(secondaryFiles, (item) => this.entry(item, directory));
    return result;
  }

  private async directory(value: DirectoryValue, parent: string): Promise<DirectoryValue> {
    const target = join(parent, value.basename ?? '');
    const remote = value.location !== undefined && isRemote(value.location);
    if (value.location !== undefined && !remote && isElsewhere(value.location)) return value;
    const source = value.location === undefined || remote ? undefined : fileURLToPath(value.location);
    if (source !== target) await rm(target, { recursive: true, force: true });
    await mkdir(target, { recursive: true });
    const listing =
      value.listing ?? (remote ? await this.remoteListing(value.location ?? '') : source === undefined ? [] : await listingOf(source));
    const placed = await sequentially(listing, (item) => this.entry(withNames(item), target));
    const { dirname: _dirname, ...kept } = value;
    return { ...kept, class: 'Directory', location: pathToFileURL(target).href, path: target, listing: placed };
  }

  private async remoteListing(uri: string): Promise<Entry[]> {
    const entries = await this.remote.list(uri);
    return entries.map((one) => ({ class: one.kind === 'file' ? 'File' : 'Directory', location: one.uri, basename: one.name }) as Entry);
  }
}

/** One after the other: names are given in order, and a directory must exist before what goes into it. */
async function sequentially<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

/** Not on this machine's disk: the location is the answer. */
function isElsewhere(location: string): boolean {
  return !location.startsWith('file:');
}

/** Every entry with a basename: its own, else the last part of its location, else one made from its content. */
function withNames<E extends Entry>(entry: E): E {
  const secondaryFiles = entry.class === 'File' ? (entry as FileValue).secondaryFiles?.map(withNames) : undefined;
  return { ...entry, basename: entry.basename || nameOf(entry), ...(secondaryFiles && { secondaryFiles }) };
}

function nameOf(entry: Entry): string {
  if (entry.location !== undefined) {
    const last = entry.location.replace(/\/+$/, '').split('/').at(-1);
    if (last) return decodeURIComponent(last);
  }
  return createHash('sha1')
    .update(JSON.stringify(entry.class === 'File' ? (entry as FileValue).contents : (entry as DirectoryValue).listing) ?? '')
    .digest('hex');
}

async function copyTo(source: string, target: string): Promise<void> {
  if (source === target) return;
  const there = await lstat(target).catch(() => undefined);
  // A link or a directory in the way is replaced, not written through.
  if (there !== undefined) await rm(target, { recursive: true, force: true });
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`the output file ${source} is not on this machine: it was published by a service elsewhere, or has been deleted`);
  }
}

/** What lies in a directory, as entries without listing of their own (they are read when they are placed). */
async function listingOf(directory: string): Promise<Entry[]> {
  const names = (await readdir(directory)).sort();
  return sequentially(names, async (name) => {
    const path = join(directory, name);
    const kind = (await stat(path)).isDirectory() ? 'Directory' : 'File';
    return { class: kind, location: pathToFileURL(path).href, basename: baseName(path) } as Entry;
  });
}

async function sha1(path: string): Promise<string> {
  const hash = createHash('sha1');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha1$${hash.digest('hex')}`;
}
