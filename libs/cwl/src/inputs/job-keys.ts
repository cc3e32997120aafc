/** Keys of a job that are no inputs: which mean something here, and which were left unresolved. */
import { didYouMean } from '../source/nearest-name.js';
import { isList, isMap, stringField, type MapNode, type Node } from '../source/node.js';
import { engineKey } from './job.js';
import type { Problems } from './problems.js';

const KNOWN = ['cwl:requirements', 'cwl:tool'];

/** `cwl:hints` and whatever else nobody reads. */
export function reportEngineKeys(root: MapNode, problems: Problems): void {
  for (const { key, place } of root.entries.values()) {
    const name = engineKey(key, root.file.namespaces);
    if (name === undefined || !name.startsWith('cwl:') || KNOWN.includes(name)) continue;
    const hint = (): string | undefined =>
      name === 'cwl:hints' ? "write 'cwl:requirements'; hints of a job are not part of CWL" : didYouMean(name, KNOWN);
    problems.warning(place, 'unknown-input', `'${key}' in a job means nothing; it is ignored`, hint);
  }
}

/** `readJob` resolves directives; a job that came as plain data cannot have them resolved, and must not be taken for a record. */
export function reportUnresolved(root: MapNode, problems: Problems): void {
  const open: Node[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isList(node)) for (const item of node.items) open.push(item);
    if (!isMap(node)) continue;
    for (const directive of ['$import', '$include', '$mixin']) {
      const reference = stringField(node, directive);
      if (reference === undefined) continue;
      const place = node.entries.get(directive)?.place ?? node;
      problems.error(place, 'unresolved-import', `'${directive}: ${reference}' cannot be resolved here`, 'write its content into the job');
    }
    for (const entry of node.entries.values()) open.push(entry.value);
  }
}
