/**
 * Collects and prints what is wrong with a document.
 * Invariants:
 *  1. One place is reported at most once per code, so that shared nodes (aliases, imports) do not repeat themselves.
 *  2. No more than MAX_TOLD errors and MAX_TOLD warnings are kept; the others are counted, and cost nothing but that: what is only needed to
 *     tell one (hints, long messages, places that are searched for) is handed over as a function, which is then not called.
 */
import type { Diagnostic } from './api.js';
import { MAX_MESSAGE, MAX_TOLD } from './limits.js';
import type { Place, SourceFile } from './source/node.js';

export type Lazy<T> = T | (() => T);

export class Reporter {
  private readonly found: { diagnostic: Diagnostic; order: number; start: number }[] = [];
  private readonly seen = new Set<string>();
  private readonly files = new Map<SourceFile, number>();
  private readonly counts = { error: 0, warning: 0, note: 0 };
  private supported = false;

  error(place: Lazy<Place>, code: string, message: Lazy<string>, hint?: Lazy<string | undefined>): void {
    if (!code.startsWith('unsupported-')) this.supported = true;
    this.add('error', place, code, message, hint);
  }

  warning(place: Lazy<Place>, code: string, message: Lazy<string>, hint?: Lazy<string | undefined>): void {
    this.add('warning', place, code, message, hint);
  }

  note(place: Lazy<Place>, code: string, message: Lazy<string>, hint?: Lazy<string | undefined>): void {
    this.add('note', place, code, message, hint);
  }

  get hasErrors(): boolean {
    return this.counts.error > 0;
  }

  /** No further error will be told: what only looks for better words can be left out. */
  get isFull(): boolean {
    return this.counts.error >= MAX_TOLD;
  }

  /** There are errors, and each is `unsupported-…`. */
  get isUnsupported(): boolean {
    return this.hasErrors && !this.supported;
  }

  /** Others that were found, and that nobody will tell. */
  countMore(severity: 'error' | 'warning', count: number): void {
    if (count > 0) this.counts[severity] = Math.max(this.counts[severity], MAX_TOLD) + count;
  }

  /** In the order of the text: files as they were met, then by offset. Last how many more there are. */
  diagnostics(): Diagnostic[] {
    const told = this.found.sort((a, b) => a.order - b.order || a.start - b.start).map((f) => f.diagnostic);
    const file = told[0]?.file ?? '';
    return [...told, ...moreThan(this.counts.error, 'error', file), ...moreThan(this.counts.warning + this.counts.note, 'warning', file)];
  }

  private add(
    severity: Diagnostic['severity'],
    where: Lazy<Place>,
    code: string,
    text: Lazy<string>,
    hint: Lazy<string | undefined> | undefined,
  ): void {
    const before = severity === 'error' ? this.counts.error : this.counts.warning + this.counts.note;
    if (before >= MAX_TOLD) {
      this.counts[severity] += 1;
      return;
    }
    const [place, message] = [valueOf(where), shortened(valueOf(text))];
    const order = this.files.get(place.file) ?? this.files.size;
    this.files.set(place.file, order);
    const identity = `${order}:${place.start}:${code}:${message}`;
    if (this.seen.has(identity)) return;
    this.seen.add(identity);
    this.counts[severity] += 1;
    const diagnostic: Diagnostic = { severity, code, message, file: place.file.uri, line: 0, column: 0 };
    if (place.start >= 0) {
      const [start, end] = [positionOf(place.file, place.start), positionOf(place.file, Math.max(place.start, place.end))];
      Object.assign(diagnostic, { line: start.line, column: start.column, endLine: end.line, endColumn: end.column });
    }
    const advice = valueOf(hint);
    if (advice !== undefined) diagnostic.hint = shortened(advice);
    this.found.push({ diagnostic, order, start: place.start });
  }
}

/** The line that stands for the diagnostics which are not told; none where all are. */
export function moreThan(count: number, severity: 'error' | 'warning', file: string): Diagnostic[] {
  if (count <= MAX_TOLD) return [];
  const left = count - MAX_TOLD;
  const message = `and ${left.toLocaleString('en')} more ${severity}${left === 1 ? '' : 's'}`;
  return [{ severity, code: 'more-diagnostics', message, file, line: 0, column: 0 }];
}

function valueOf<T extends string | Place | undefined>(lazy: Lazy<T>): T {
  return typeof lazy === 'function' ? lazy() : lazy;
}

/** With its beginning and its end, where the author wrote more than anybody reads. */
export function shortened(text: string, most = MAX_MESSAGE): string {
  if (text.length <= most) return text;
  return `${text.slice(0, Math.ceil(most * 0.75))} … ${text.slice(text.length - Math.floor(most * 0.25))}`;
}

/** Names for a message. */
export function namesOf(names: readonly string[], most = 50): string {
  const shown = names.slice(0, most).map((name) => shortened(name, 100));
  return names.length <= most ? shown.join(', ') : `${shown.join(', ')} and ${names.length - most} more`;
}

/** One-based line and column of an offset. */
export function positionOf(file: SourceFile, offset: number): { line: number; column: number } {
  const starts = (file.lineStarts ??= lineStarts(file.text));
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** `file:line:column: severity: message; hint`. `file:` URIs print as paths, relative to `cwd` when below it. */
export function formatDiagnostic(d: Diagnostic, cwd?: string): string {
  const place = d.line > 0 ? `${displayName(d.file, cwd)}:${d.line}:${d.column}` : displayName(d.file, cwd);
  return `${place}: ${d.severity}: ${d.message}${d.hint === undefined ? '' : `; ${d.hint}`}`;
}

/** What an author recognises: the path of a `file:` URI, the name of an inline document, else the URI. */
export function displayName(uri: string, cwd?: string): string {
  if (uri.startsWith('weft:')) return uri.slice('weft:'.length);
  if (!uri.startsWith('file://')) return uri;
  const path = decodePath(uri.slice('file://'.length));
  const directory = cwd === undefined ? undefined : cwd.endsWith('/') ? cwd : `${cwd}/`;
  return directory !== undefined && path.startsWith(directory) ? path.slice(directory.length) : path;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
