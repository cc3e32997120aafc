/**
 * One set of `$namespaces` out of those of several files. A prefix that files use for different namespaces keeps its first meaning;
 * what was written with another one is written out.
 */
import { expandPrefix } from '../source/uri.js';
import type { SourceFile } from '../source/node.js';

export class NamespaceMerger {
  readonly merged: Record<string, string> = {};

  /** A name (a key, a class, a format) as it must read where the merged namespaces are in effect. */
  name(written: string, file: SourceFile): string {
    const at = written.indexOf(':');
    const prefix = at > 0 ? written.slice(0, at) : '';
    const namespace = Object.hasOwn(file.namespaces, prefix) ? file.namespaces[prefix] : undefined;
    if (namespace === undefined) return written;
    if (!Object.hasOwn(this.merged, prefix)) this.merged[prefix] = namespace;
    return this.merged[prefix] === namespace ? written : expandPrefix(written, file.namespaces);
  }
}
