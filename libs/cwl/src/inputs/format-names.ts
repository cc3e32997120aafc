/**
 * Formats that a job writes with a prefix it does not declare (`edam:format_2330`). Authors mean the prefix of the document, which a
 * plan no longer knows; so the name is looked up among the formats that the plan does know, and taken when exactly one ends in it.
 */
import { isFile, pushTo, visitFiles, type CwlObject, type CwlType, type Plan } from '@weft/plan';
import type { Place } from '../source/node.js';
import type { Problems } from './problems.js';

const PREFIXED = /^[A-Za-z_][\w.-]*:(?!\/\/)([^/#]+)$/;

/** Writes the full IRI into the Files of `inputs`, which are this call's to change. */
export function expandFormatNames(inputs: CwlObject, plan: Plan, at: Place, problems: Problems): void {
  let known: Set<string> | undefined;
  let byName: Map<string, string[]> | undefined;
  visitFiles(inputs, (file) => {
    if (!isFile(file) || typeof file.format !== 'string') return;
    const name = PREFIXED.exec(file.format)?.[1];
    if (name === undefined) return;
    known ??= knownFormats(plan);
    if (known.has(file.format)) return;
    byName ??= byLastName(known);
    const candidates = byName.get(name) ?? [];
    const [only] = candidates;
    if (candidates.length !== 1 || only === undefined) return;
    problems.warning(at, 'undeclared-prefix', `the job declares no prefix for format '${file.format}'; it is taken as ${only}`);
    file.format = only;
  });
}

function byLastName(iris: Iterable<string>): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const iri of iris) {
    const name = iri.slice(Math.max(iri.lastIndexOf('/'), iri.lastIndexOf('#')) + 1);
    pushTo(names, name, iri);
  }
  return names;
}

function knownFormats(plan: Plan): Set<string> {
  const known = new Set<string>();
  for (const [iri, related] of Object.entries(plan.formats ?? {})) for (const each of [iri, ...related]) known.add(each);
  for (const process of Object.values(plan.processes)) {
    for (const parameter of process.inputs) {
      for (const format of [parameter.format ?? []].flat()) known.add(format);
      addFieldFormats(parameter.type, known);
    }
  }
  return known;
}

function addFieldFormats(type: CwlType, known: Set<string>): void {
  if (Array.isArray(type)) for (const member of type) addFieldFormats(member, known);
  else if (typeof type === 'object' && type.type === 'array') addFieldFormats(type.items, known);
  else if (typeof type === 'object' && type.type === 'record') {
    for (const field of type.fields) {
      for (const format of [field.format ?? []].flat()) known.add(format);
      addFieldFormats(field.type, known);
    }
  }
}
