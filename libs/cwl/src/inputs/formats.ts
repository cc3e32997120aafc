/** Is a file's format one of those asked for? Source: CWL v1.2 CommandLineTool "format": equal, equivalent or a subclass of it. */
import type { FormatOntology } from '@weft/plan';

export function formatMatches(format: string, wanted: readonly string[], ontology: FormatOntology = {}): boolean {
  const seen = new Set<string>();
  const open = [format];
  for (let current = open.pop(); current !== undefined; current = open.pop()) {
    if (wanted.includes(current)) return true;
    if (seen.has(current)) continue;
    seen.add(current);
    if (Object.hasOwn(ontology, current)) for (const above of ontology[current] ?? []) open.push(above);
  }
  return false;
}
