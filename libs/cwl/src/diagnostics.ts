/**
 * Collects and prints what is wrong with a document.
 * Invariant: one place is reported at most once per code, so that shared nodes (aliases, imports) do not repeat themselves.
 */
import type { Diagnostic } from './api.js';
import type { Place, SourceFile } from './source/node.js';

export class Reporter {
  private readonly found: { diagnostic: Diagnostic; order: number; start: number }[] = [];
  private readonly seen = new Set<string>();
  private readonly files = new Map<SourceFile, number>();

  error(place: Place, code: string, message: string, hint?: string): void {
    this.add('error', place, code, message, hint);
  }

  warning(place: Place, code: string, message: string, hint?: string): void {
    this.add('warning', place, code, message, hint);
  }

  note(place: Place, code: string, message: string, hint?: string): void {
    this.add('note', place, code, message, hint);
  }

  get hasErrors(): boolean {
    return this.found.some((f) => f.diagnostic.severity === 'error');
  }

  /** In the order of the text: files as they were met, then by offset. */
  diagnostics(): Diagnostic[] {
    return this.found.sort((a, b) => a.order - b.order || a.start - b.start).map((f) => f.diagnostic);
  }

  private add(severity: Diagnostic['severity'], place: Place, code: string, message: string, hint?: string): void {
    const order = this.files.get(place.file) ?? this.files.size;
    this.files.set(place.file, order);
    const identity = `${order}:${place.start}:${code}:${message}`;
    if (this.seen.has(identity)) return;
    this.seen.add(identity);
    const diagnostic: Diagnostic = { severity, code, message, file: place.file.uri, line: 0, column: 0 };
    if (place.start >= 0) {
      const [start, end] = [positionOf(place.file, place.start), positionOf(place.file, Math.max(place.start, place.end))];
      Object.assign(diagnostic, { line: start.line, column: start.column, endLine: end.line, endColumn: end.column });
    }
    if (hint !== undefined) diagnostic.hint = hint;
    this.found.push({ diagnostic, order, start: place.start });
  }
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
