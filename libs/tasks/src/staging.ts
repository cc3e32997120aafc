/**
 * Where a task finds its files: each input File with its secondary files in one numbered directory of its own, literals written out.
 *
 * Invariants:
 *  1. A path belongs to one source: nothing is renamed, and nothing takes another's place. Equally named inputs do not meet, because each has
 *     a directory of its own; where two different things of one directory are called the same, that is an error (libs/plan, entries.ts).
 *  2. The same location under the same name is staged once, however many values point to it.
 *  3. Every value that was placed has its `path` set.
 */
import { executor } from '@weft/contracts';
import type { CwlValue, Entry } from '@weft/plan';
import { isDirectory, isFile, visitFiles } from '@weft/plan';
import { TaskError } from './api.js';
import { isLiteral, plainName, setPath } from './file-values.js';
import { baseName } from './names.js';

export interface PlaceOptions {
  writable: boolean;
  inPlace: boolean;
  /** Told of every location that got a path, entries of listings included. */
  placed?: (location: string, path: string) => void;
  /** What to throw where something else is at a path. */
  clash?: (path: string) => TaskError;
}

const READ_ONLY: PlaceOptions = { writable: false, inPlace: false };

interface Staged {
  input: executor.Input;
  /** What lies there: location, or the text of a literal. */
  source: string;
}

export class StagingArea {
  private readonly staged = new Map<string, Staged>();
  private readonly directories = new Map<string, string>();

  constructor(private readonly inputDir: string) {}

  get inputs(): executor.Input[] {
    return [...this.staged.values()].map((entry) => entry.input);
  }

  /** Stages the outermost Files and Directories of a value below the input directory. */
  stageInputs(value: CwlValue | undefined): void {
    if (Array.isArray(value)) value.forEach((item) => this.stageInputs(item));
    else if (isFile(value) || isDirectory(value)) this.place(value, this.directoryFor(value), READ_ONLY);
    // By name: the order in which somebody wrote them is nothing that a task should see.
    else if (typeof value === 'object' && value !== null) for (const key of Object.keys(value).sort()) this.stageInputs(value[key]);
  }

  private directoryFor(value: Entry): string {
    // With what lies beside it: one file may come with other secondary files in another input.
    const key = JSON.stringify([value, ...((isFile(value) && value.secondaryFiles) || [])].map(identityOf));
    let directory = this.directories.get(key);
    if (directory === undefined) {
      directory = `${this.inputDir}/${this.directories.size}`;
      this.directories.set(key, directory);
    }
    return directory;
  }

  /** Puts a value (and its secondary files beside it, its listing below it) into a directory. */
  place(value: Entry, directory: string, options: PlaceOptions): void {
    const input = this.inputFor(value, options);
    const source = sourceKey(input, value);
    const path = this.claim(`${directory}/${plainName(value)}`, source, input, options.clash ?? clashAt);
    if (value.location) options.placed?.(value.location, path);
    setPath(value, path);
    if (isFile(value)) for (const secondary of value.secondaryFiles ?? []) this.place(secondary, directory, options);
    else if (isLiteral(value)) for (const entry of value.listing ?? []) this.place(entry, path, options);
    else listingPaths(value, options);
  }

  private inputFor(value: Entry, options: PlaceOptions): executor.Input {
    const source = isLiteral(value) ? this.literalSource(value) : ({ $case: 'uri', value: value.location ?? '' } as const);
    const kind = isFile(value) ? executor.InputKind.FILE : executor.InputKind.DIRECTORY;
    const inPlace = options.inPlace && source?.$case === 'uri';
    const checksum = source?.$case === 'uri' && isFile(value) ? (value.checksum ?? '') : '';
    return { path: '', kind, source, writable: options.writable, inPlace, checksum };
  }

  private literalSource(value: Entry): executor.Input['source'] {
    if (isFile(value) && value.contents !== undefined) return { $case: 'text', value: value.contents };
    if (isDirectory(value) && value.listing !== undefined) return undefined;
    // An expression may name a staged file by its path alone.
    const known = value.path === undefined ? undefined : this.staged.get(value.path);
    if (known) return known.input.source;
    throw new TaskError(
      'INPUT_FILE',
      `${value.class} ${value.basename ?? ''} has neither a location nor ${isFile(value) ? 'contents' : 'a listing'}${value.path ? `, and nothing is staged at ${value.path}` : ''}`,
    );
  }

  private claim(path: string, source: string, input: executor.Input, clash: (path: string) => TaskError): string {
    const taken = this.staged.get(path);
    if (!taken) {
      input.path = path;
      this.staged.set(path, { input, source });
      return path;
    }
    if (taken.source !== source) throw clash(path);
    taken.input.writable ||= input.writable;
    taken.input.inPlace ||= input.inPlace;
    return path;
  }

  /** Forgets what is below the input directory and no value points to any more. */
  dropUnused(values: CwlValue): void {
    const used = new Set<string>();
    visitFiles(values, (entry) => entry.path !== undefined && used.add(entry.path));
    for (const path of [...this.staged.keys()]) if (path.startsWith(`${this.inputDir}/`) && !used.has(path)) this.staged.delete(path);
  }
}

/** A literal directory merges with another of its name; files are the same where their source is. */
function sourceKey(input: executor.Input, value: Entry): string {
  if (!input.source) return 'directory';
  return input.source.$case === 'uri' ? `uri ${input.source.value}` : `text ${value.location ?? ''}\n${input.source.value}`;
}

function identityOf(value: Entry): [string, string] {
  return [value.location ?? value.path ?? '', value.basename ?? ''];
}

function clashAt(path: string): TaskError {
  return new TaskError('INPUT_FILE', `two different things are both called "${baseName(path)}", and would lie in one directory`);
}

function listingPaths(directory: Entry, options: PlaceOptions): void {
  if (!isDirectory(directory)) return;
  for (const entry of directory.listing ?? []) {
    const path = `${directory.path ?? ''}/${plainName(entry)}`;
    if (entry.location) options.placed?.(entry.location, path);
    setPath(entry, path);
    listingPaths(entry, options);
  }
}
