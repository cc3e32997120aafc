/**
 * Which path below the output directory each output file gets. Pure.
 *
 * Invariants:
 *  1. Files keep their basename: a name's extension is part of what tools understand.
 *  2. Two different files never get the same path: the later one (with its secondary files) goes into a numbered directory, 2/, 3/, ….
 *  3. One file that is in several outputs gets one path.
 *  4. A path that must not be overwritten (an input of this run) is never given away.
 */
import type { DirectoryValue, FileValue } from '@weft/plan';

type Entry = FileValue | DirectoryValue;

export class NamePlan {
  /** Path relative to the output directory → what lies there (identity of its source). */
  private readonly taken = new Map<string, string>();
  private anonymous = 0;

  /** `isProtected`: whether a relative path must be left alone. */
  constructor(private readonly isProtected: (relativePath: string, sourceIdentity: string) => boolean) {}

  /** The directory ('' or '2', '3', …) in which the entry and its secondary files go. */
  directoryFor(entry: Entry): string {
    const group = [entry, ...siblings(entry)].map((item) => ({ name: item.basename ?? '', identity: this.identityOf(item) }));
    for (let n = 1; ; n += 1) {
      const directory = n === 1 ? '' : String(n);
      const claims = group.map(({ name, identity }) => ({ path: directory === '' ? name : `${directory}/${name}`, identity }));
      if (!claims.every(({ path, identity }) => this.isFree(path, identity))) continue;
      for (const { path, identity } of claims) this.taken.set(path, identity);
      return directory;
    }
  }

  private isFree(path: string, identity: string): boolean {
    const there = this.taken.get(path);
    if (there !== undefined) return there === identity;
    // A directory of this name holds files of others: "2/…" after an output called "2".
    if ([...this.taken.keys()].some((other) => other.startsWith(`${path}/`))) return false;
    const parent = path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined;
    if (parent !== undefined && this.taken.has(parent)) return false;
    return !this.isProtected(path, identity);
  }

  /** Where the bytes come from; a literal is like nothing but itself. */
  private identityOf(entry: Entry): string {
    if (entry.location !== undefined) return entry.location;
    this.anonymous += 1;
    return `literal:${this.anonymous}`;
  }
}

function siblings(entry: Entry): Entry[] {
  if (entry.class !== 'File') return [];
  return ((entry as FileValue).secondaryFiles ?? []).flatMap((item) => [item, ...siblings(item)]);
}
