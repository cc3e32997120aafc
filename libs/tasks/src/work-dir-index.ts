/**
 * What a finished task left in its working directory, and where the inputs staged for it lie: answers without I/O.
 *
 * Invariant: whatever a tool or an expression names, the answer lies in the working directory or in an input of this very task. Paths are
 * normalised and URIs canonical before they are compared. (Links are the runner's to follow: it looks at every path that is found here.)
 */
import { executor } from '@weft/contracts';
import { belowUri, canonicalUri, encodeUriPath, pathOfFileUri, schemeOfUri, withoutEndSlashes, type Entry } from '@weft/plan';
import { isLiteral } from './file-values.js';
import { baseName, decode, fileUri, normalizePath, relativeTo, splitExtension } from './names.js';

/** Where a File or Directory of an output is to be had. */
export type Found =
  /** In the working directory; `path` is relative to it, "" is the directory itself. */
  | { at: 'work'; path: string; kind: Entry['class'] }
  /** A staged input, or something below one; `path` where the task saw it, if that is still what lies at `uri`. */
  | { at: 'storage'; uri: string; path?: string; inPlace: boolean }
  /** A literal that was staged: its text is the file. */
  | { at: 'text'; text: string }
  | { at: 'literal' }
  | { at: 'nowhere'; place: string; why?: string };

export class WorkDirIndex {
  private readonly entries = new Map<string, executor.ManifestEntry>();
  private readonly staged = new Map<string, executor.Input>();
  /** By canonical URI. */
  private readonly stagedAt = new Map<string, executor.Input>();
  private byDirectory: Map<string, string[]> | undefined;
  readonly paths: string[];

  constructor(
    manifest: readonly executor.ManifestEntry[],
    private readonly spec: Pick<executor.TaskSpec, 'workDir' | 'inputs'>,
  ) {
    for (const entry of manifest) this.entries.set(entry.path, entry);
    for (const input of spec.inputs) {
      this.staged.set(input.path, input);
      if (input.source?.$case === 'uri') this.stagedAt.set(withoutSlash(canonical(input.source.value)), input);
    }
    this.paths = [...this.entries.keys()].sort();
  }

  has(path: string): boolean {
    return path === '' || this.entries.has(path);
  }

  isFile(path: string): boolean {
    return this.entries.get(path)?.kind === executor.EntryKind.FILE;
  }

  size(path: string): number {
    return this.entries.get(path)?.size ?? 0;
  }

  /** An entry as expressions see it: with the path that the tool saw. */
  value(path: string): Entry {
    const full = path === '' ? this.spec.workDir : `${this.spec.workDir}/${path}`;
    const names = { location: fileUri(full), path: full, basename: baseName(full), dirname: full.slice(0, full.lastIndexOf('/')) };
    if (!this.isFile(path)) return { class: 'Directory', ...names };
    const [nameroot, nameext] = splitExtension(names.basename);
    return { class: 'File', ...names, nameroot, nameext, size: this.size(path) };
  }

  /** How many entries a directory has. */
  count(directory: string): number {
    return this.children().get(directory)?.length ?? 0;
  }

  listing(directory: string, deep: boolean): Entry[] {
    return (this.children().get(directory) ?? []).map((path) => {
      const entry = this.value(path);
      if (deep && entry.class === 'Directory') entry.listing = this.listing(path, true);
      return entry;
    });
  }

  /** Paths by the directory they are in, made when first asked for. */
  private children(): Map<string, string[]> {
    if (this.byDirectory) return this.byDirectory;
    this.byDirectory = new Map();
    for (const path of this.paths) {
      const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      const siblings = this.byDirectory.get(directory);
      if (siblings) siblings.push(path);
      else this.byDirectory.set(directory, [path]);
    }
    return this.byDirectory;
  }

  /** `path` (as the tool saw it, or relative to the working directory) wins over `location`. */
  find(entry: Entry): Found {
    if (entry.path) return this.findPath(entry.path);
    if (!isLiteral(entry)) return this.findLocation(entry.location ?? '');
    return (entry.class === 'File' ? entry.contents : entry.listing) === undefined
      ? { at: 'nowhere', place: entry.basename ?? '' }
      : { at: 'literal' };
  }

  private findPath(path: string): Found {
    if (path.includes('\0')) return { at: 'nowhere', place: path, why: 'it holds a NUL' };
    // Each directory above it is looked at, which must not grow with what was written.
    if (path.length > PATH_LENGTH) return { at: 'nowhere', place: path, why: `it is longer than ${PATH_LENGTH} characters` };
    const full = normalizePath(path.startsWith('/') ? path : `${this.spec.workDir}/${path}`);
    const relative = relativeTo(full, this.spec.workDir);
    if (relative !== undefined && this.has(relative))
      return { at: 'work', path: relative, kind: this.isFile(relative) ? 'File' : 'Directory' };
    return this.findStaged(full) ?? { at: 'nowhere', place: path, ...(relative === undefined ? { why: OUTSIDE } : {}) };
  }

  private findLocation(location: string): Found {
    if (schemeOfUri(location) === undefined) return this.findReference(location);
    const checked = canonicalUri(location);
    if ('problem' in checked) return { at: 'nowhere', place: location, why: `it ${checked.problem}` };
    // A slash at its end names nothing else: what is handed on is what was given.
    const uri = withoutEndSlashes(checked.uri);
    const staged = this.stagedAt.get(uri);
    if (staged?.source?.$case === 'uri') return inStorage(canonical(staged.source.value), staged, staged.path);
    const path = pathOfFileUri(uri);
    const found = path === undefined ? undefined : this.findPath(path);
    if (found !== undefined && found.at !== 'nowhere') return found;
    // A tool may hand on what it was given; naming anything else would let it publish what it may not read.
    for (let above = parentOf(uri); above !== ''; above = parentOf(above)) {
      const input = this.stagedAt.get(withoutEndSlashes(above));
      const below = input?.kind === executor.InputKind.DIRECTORY ? belowUri(uri, above) : undefined;
      if (input !== undefined && below !== undefined) return inStorage(uri, input, input.path + decode(below));
    }
    return { at: 'nowhere', place: location, why: OUTSIDE };
  }

  /** Relative to the working directory. Escapes count, but for a name that is there as it was written. */
  private findReference(reference: string): Found {
    const found = this.findPath(decode(reference));
    return found.at === 'nowhere' ? this.findPath(reference) : found;
  }

  private findStaged(path: string): Found | undefined {
    for (let above = path; above.length > 1; above = above.slice(0, above.lastIndexOf('/'))) {
      const input = this.staged.get(above);
      const below = path.slice(above.length);
      if (input?.source?.$case === 'uri' && (below === '' || input.kind === executor.InputKind.DIRECTORY))
        return inStorage(`${withoutSlash(input.source.value)}${encodeUriPath(below)}`, input, path);
      if (input?.source?.$case === 'text' && above === path) return { at: 'text', text: input.source.value };
    }
    return undefined;
  }

  /** The first few names at the top, for messages. */
  summary(): string {
    const top = this.paths.filter((path) => !path.includes('/')).map((path) => (this.isFile(path) ? path : `${path}/`));
    if (top.length === 0) return 'nothing';
    return top.length > 10 ? `${top.slice(0, 10).join(', ')}, … (${top.length} in all)` : top.join(', ');
  }
}

/** What the system takes, in bytes. */
const PATH_LENGTH = 4096;

const OUTSIDE = 'it is neither in the working directory nor an input of the task';

/** What a task may have changed in its own copy is looked for where it came from. */
function inStorage(uri: string, { writable, inPlace }: executor.Input, path: string): Found {
  return { at: 'storage', uri, inPlace, ...(writable && !inPlace ? {} : { path }) };
}

function canonical(uri: string): string {
  const checked = canonicalUri(uri);
  return 'uri' in checked ? checked.uri : uri;
}

/** Of a URI or a path; '' where it has none. */
function parentOf(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf('/')));
}

function withoutSlash(uri: string): string {
  return withoutEndSlashes(uri) || uri;
}
