/**
 * Where the expressions of a process, and its libraries of JavaScript, were written (../expression-places.ts).
 *
 * Invariant: a plan grows by a limited number of places, whatever the documents hold; what is beyond it has none.
 */
import type { ExpressionPlace, ExpressionPlaces } from '@weft/plan';
import { positionOf } from '../diagnostics.js';
import { expressionKey, MAX_PLACES_OF_A_TEXT } from '../expression-places.js';
import { isList, isMap, type Node, type ScalarNode } from '../source/node.js';
import { isExpression, relativeUri } from '../source/uri.js';

/** Places in one plan: some ten times those of the largest published workflows. */
const MAX_PLACES = 20_000;
/** What is prose, and the processes of steps: they have their own. */
const SKIPPED = new Set(['doc', 'label', 'run', '$namespaces', '$schemas']);

export class ExpressionPlaceFinder {
  private left = MAX_PLACES;

  constructor(private readonly rootUri: string) {}

  /** `home`: the file of the process, which its places do not repeat. */
  of(process: Node, home: string | undefined): ExpressionPlaces | undefined {
    const places = new Map<string, ExpressionPlace[]>();
    this.visit(process, home, places);
    return places.size === 0 ? undefined : Object.fromEntries(places);
  }

  private visit(node: Node, home: string | undefined, places: Map<string, ExpressionPlace[]>, isLibrary = false): void {
    if (this.left === 0) return;
    if (isList(node)) for (const item of node.items) this.visit(item, home, places, isLibrary);
    else if (isMap(node)) {
      for (const { key, value } of node.entries.values()) if (!SKIPPED.has(key)) this.visit(value, home, places, key === 'expressionLib');
    } else if (typeof node.value === 'string' && (isLibrary || isExpression(node.value)) && node.start >= 0) {
      this.note(node, node.value, home, places);
    }
  }

  private note(node: ScalarNode, text: string, home: string | undefined, places: Map<string, ExpressionPlace[]>): void {
    const file = relativeUri(node.file.uri, this.rootUri);
    const place = { ...(file !== home && { file }), ...beginOf(node, text) };
    // The mark of an optional secondary file is no part of its pattern.
    for (const written of text.endsWith('?') ? [text, text.slice(0, -1)] : [text]) {
      const key = expressionKey(written);
      const known = places.get(key) ?? [];
      if (known.length === MAX_PLACES_OF_A_TEXT || this.left === 0) continue;
      if (known.some(({ line, column }) => line === place.line && column === place.column)) continue;
      places.set(key, [...known, place]);
      this.left -= 1;
    }
  }
}

function beginOf(node: ScalarNode, text: string): Omit<ExpressionPlace, 'file'> {
  const source = node.file.text.slice(node.start, node.end);
  const core = text.trim();
  const at = core.includes('\n') ? -1 : source.indexOf(core);
  if (at >= 0) return { ...positionOf(node.file, node.start + at), written: 'line' };
  return blockBegin(node, source, core) ?? positionOf(node.file, node.start);
}

/** Of a literal block scalar: its lines are those of the text, each behind the same number of spaces. */
function blockBegin(node: ScalarNode, source: string, core: string): Omit<ExpressionPlace, 'file'> | undefined {
  if (!source.startsWith('|')) return undefined;
  const lines = core.split('\n');
  const begin = source.indexOf(lines[0] ?? '', source.indexOf('\n') + 1);
  if (begin < 0) return undefined;
  const written = source.slice(begin).split(/\r?\n/, lines.length);
  const first = positionOf(node.file, node.start + begin);
  const indent = first.column - 1;
  const isKept = lines.every((line, n) => n === 0 || line === '' || written[n]?.slice(indent) === line);
  return isKept ? { ...first, written: 'block' } : first;
}
