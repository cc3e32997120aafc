/**
 * Output objects apart from where their files lie: `weft-out:<path>` for what the task published, `weft-in:<n>/<path>` for (what lies below)
 * its n-th staged input. Two tasks of one key stage the same inputs in the same order, so the second finds its own there.
 *
 * Invariant: an output object that names a file anywhere else is not taken apart; nobody could say what becomes of that file.
 */
import type { executor } from '@weft/contracts';
import { type CwlObject, type CwlValue, isDirectory, isFile, mapFiles, withoutEndSlashes, type Entry } from '@weft/plan';
import { fileUriToPath, isFileUri, pathToFileUri } from '@weft/storage';

const OUT = 'weft-out:';
const IN = 'weft-in:';

/** What the outputs of one task may name. */
export interface Surroundings {
  /** URI below which the task publishes; ends in '/'. */
  publishedTo: string;
  inputs: readonly executor.Input[];
}

export interface Detached {
  outputs: CwlObject;
  /** Paths below `publishedTo`, percent-encoded, and their checksums where they have any. */
  files: Map<string, string | undefined>;
  /** Directories that hold no file. */
  emptyDirectories: string[];
}

/** Undefined: a file lies elsewhere. */
export function detach(outputs: CwlObject, surroundings: Surroundings): Detached | undefined {
  const sources = sourcesOf(surroundings.inputs);
  const detached: Detached = { outputs: {}, files: new Map(), emptyDirectories: [] };
  let elsewhere = false;
  detached.outputs = mapEntries(outputs, (entry, location) => {
    if (location.startsWith(surroundings.publishedTo)) {
      const path = location.slice(surroundings.publishedTo.length);
      if (isFile(entry)) detached.files.set(path, entry.checksum);
      else if ((entry.listing ?? []).length === 0) detached.emptyDirectories.push(path);
      return `${OUT}${path}`;
    }
    const input = inputOf(normal(location), sources);
    if (input === undefined) elsewhere = true;
    return input ?? location;
  });
  return elsewhere ? undefined : detached;
}

/** The output object of another task of the same key. @throws Error where it names an input that this task does not have */
export function attach(outputs: CwlObject, surroundings: Surroundings): CwlObject {
  const sources = sourcesOf(surroundings.inputs);
  return mapEntries(outputs, (_entry, location) => {
    if (location.startsWith(OUT)) return `${surroundings.publishedTo}${location.slice(OUT.length)}`;
    const [, index, below = ''] = /^weft-in:(\d+)(\/.*)?$/.exec(location) ?? [];
    const source = index === undefined ? undefined : sources[Number(index)];
    if (source === undefined) throw new Error(`a stored result names ${location}, which is no input of this task`);
    return `${source}${below}`;
  });
}

/** What a result that was detached names; see Detached. */
export function filesOf(outputs: CwlObject): Pick<Detached, 'files' | 'emptyDirectories'> {
  const found: Pick<Detached, 'files' | 'emptyDirectories'> = { files: new Map(), emptyDirectories: [] };
  mapEntries(outputs, (entry, location) => {
    if (!location.startsWith(OUT)) return location;
    const path = location.slice(OUT.length);
    if (isFile(entry)) found.files.set(path, entry.checksum);
    else if ((entry.listing ?? []).length === 0) found.emptyDirectories.push(path);
    return location;
  });
  return found;
}

/** In the order of their paths; without a slash at the end. */
function sourcesOf(inputs: readonly executor.Input[]): string[] {
  return [...inputs]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap(({ source }) => (source?.$case === 'uri' ? [normal(source.value)] : []));
}

function inputOf(location: string, sources: string[]): string | undefined {
  for (const [index, source] of sources.entries()) {
    if (location === source) return `${IN}${index}`;
    if (location.startsWith(`${source}/`)) return `${IN}${index}${location.slice(source.length)}`;
  }
  return undefined;
}

/** One spelling per file: runners name what they found by its path. */
function normal(uri: string): string {
  return withoutEndSlashes(isFileUri(uri) ? pathToFileUri(fileUriToPath(uri)) : uri);
}

function mapEntries(value: CwlObject, relocate: (entry: Entry, location: string) => string): CwlObject {
  const entry = (original: Entry): Entry => {
    const copy: Entry = { ...original };
    if (original.location !== undefined) copy.location = relocate(original, original.location);
    if (isFile(copy) && copy.secondaryFiles) copy.secondaryFiles = copy.secondaryFiles.map(entry);
    if (isDirectory(copy) && copy.listing) copy.listing = copy.listing.map(entry);
    return copy;
  };
  const mapped: Record<string, CwlValue> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) mapped[name] = mapFiles(member, entry);
  return mapped;
}
