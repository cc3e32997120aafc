/**
 * Does a File's format satisfy what a parameter asks for? Equal, or a subclass or equivalent by the ontologies that `$schemas` declared.
 * Source: CWL v1.2 CommandLineTool, CommandInputParameter.format.
 */
import type { FileValue, FormatOntology } from '@weft/plan';
import { TaskError } from './api.js';

export function formatSatisfies(actual: string, wanted: string, ontology: FormatOntology): boolean {
  const seen = new Set<string>([actual]);
  for (const iri of seen) {
    if (iri === wanted) return true;
    for (const parent of ontology[iri] ?? []) seen.add(parent);
  }
  return false;
}

export function checkFormat(file: FileValue, wanted: string[], ontology: FormatOntology, where: string): void {
  if (wanted.length === 0) return;
  const { format } = file;
  if (!format) throw new TaskError('INPUT_FORMAT', `${where}: file ${file.basename ?? ''} has no format; wanted ${wanted.join(' or ')}`);
  if (!wanted.some((iri) => formatSatisfies(format, iri, ontology))) {
    throw new TaskError('INPUT_FORMAT', `${where}: file ${file.basename ?? ''} has format ${format}; wanted ${wanted.join(' or ')}`);
  }
}
