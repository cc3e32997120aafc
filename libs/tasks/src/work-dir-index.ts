/**
 * What a finished task left in its working directory, and where the inputs staged for it lie: answers without I/O.
 */
import { executor } from '@weft/contracts';
import type { DirectoryValue, FileValue } from '@weft/plan';
import type { Entry } from './file-values.js';
import { isLiteral } from './file-values.js';
import { baseName, filePathOf, fileUri, hasScheme, relativeTo, splitExtension } from './names.js';

/** Where a File or Directory of an output is to be had. */
export type Found =
  /** In the working directory; `path` is relative to it, "" is the directory itself. */
  | { at: 'work'; path: string; kind: Entry['class'] }
  /** A staged input, or something below one; `path` where the task saw it, if it did. */
  | { at: 'storage'; uri: string; path?: string }
  /** A literal that was staged: its text is the file. */
  | { at: 'text'; text: string }
  | { at: 'literal' }
  | { at: 'nowhere'; place: string };

export class WorkDirIndex {
  private readonly entries = new Map<string, executor.ManifestEntry>();
  private readonly staged = new Map<string, executor.Input>();
  private readonly stagedAt = new Map<string, string>();
  private byDirectory: Map<string, string[]> | undefined;
  readonly paths: string[];

  constructor(
    manifest: readonly executor.ManifestEntry[],
    private readonly spec: Pick<executor.TaskSpec, 'workDir' | 'inputs'>,
  ) {
    for (const entry of manifest) this.entries.set(entry.path, entry);
    for (const input of spec.inputs) {
      this.staged.set(input.path, input);
      if (input.source?.$case === 'uri') this.stagedAt.set(input.source.value, input.path);
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

  listing(directory: string, deep: boolean): (FileValue | DirectoryValue)[] {
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
  find(entry: Entry, known: ReadonlySet<string>): Found {
    if (entry.path) return this.findPath(entry.path);
    if (!isLiteral(entry)) return this.findLocation(entry.location ?? '', known);
    return (entry.class === 'File' ? entry.contents : entry.listing) === undefined
      ? { at: 'nowhere', place: entry.basename ?? '' }
      : { at: 'literal' };
  }

  private findPath(path: string): Found {
    const full = path.startsWith('/') ? path : `${this.spec.workDir}/${path}`;
    const relative = relativeTo(full, this.spec.workDir);
    if (relative !== undefined && this.has(relative))
      return { at: 'work', path: relative, kind: this.isFile(relative) ? 'File' : 'Directory' };
    return this.findStaged(full) ?? { at: 'nowhere', place: path };
  }

  private findLocation(location: string, known: ReadonlySet<string>): Found {
    if (!hasScheme(location)) return this.findPath(location);
    const staged = this.stagedAt.get(location);
    const path = filePathOf(location);
    if (staged !== undefined || path === undefined)
      return { at: 'storage', uri: location, ...(staged === undefined ? {} : { path: staged }) };
    const found = this.findPath(path);
    // A tool may hand on what it was given; naming any other file of the host would let it publish what it may not read.
    return found.at === 'nowhere' && isKnown(location, known) ? { at: 'storage', uri: location } : found;
  }

  private findStaged(path: string): Found | undefined {
    for (let above = path; above.length > 1; above = above.slice(0, above.lastIndexOf('/'))) {
      const source = this.staged.get(above)?.source;
      if (source?.$case === 'uri') {
        const below = path.slice(above.length);
        return {
          at: 'storage',
          path,
          uri: below === '' ? source.value : `${source.value.replace(/\/$/, '')}${fileUri(below).slice('file://'.length)}`,
        };
      }
      if (source?.$case === 'text' && above === path) return { at: 'text', text: source.value };
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

function isKnown(location: string, known: ReadonlySet<string>): boolean {
  for (let above = location; above.length > 'file://'.length; above = above.slice(0, above.lastIndexOf('/'))) {
    if (known.has(above) || known.has(`${above}/`)) return true;
  }
  return false;
}
