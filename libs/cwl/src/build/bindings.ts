/** Bindings and file options of parameters and record fields. Lenient: the tables have reported what is wrong. */
import type { FileOptions, InputBinding, LoadListing, OutputBinding, SecondaryFile } from '@weft/plan';
import {
  booleanField,
  field,
  isMap,
  itemsOf,
  numberOf,
  stringField,
  stringOf,
  stringsOf,
  type MapNode,
  type Node,
} from '../source/node.js';
import { expandPrefix, isExpression } from '../source/uri.js';
import { isBefore, type Version } from '../source/version.js';
import { defined } from './context.js';

export function docOf(node: MapNode): string | undefined {
  const lines = stringsOf(field(node, 'doc'));
  return lines.length === 0 ? undefined : lines.join('\n');
}

export function numberOrString(node: Node | undefined): number | string | undefined {
  return numberOf(node) ?? stringOf(node);
}

/** A string where one was written, a list where a list was. */
export function stringOrStrings(node: Node | undefined): string | string[] | undefined {
  return node === undefined ? undefined : (stringOf(node) ?? stringsOf(node));
}

export function loadListing(node: MapNode): LoadListing | undefined {
  const text = stringField(node, 'loadListing');
  return text === 'no_listing' || text === 'shallow_listing' || text === 'deep_listing' ? text : undefined;
}

/** `inputBinding` of a parameter, field or type. `loadContents` in it belongs to the parameter (v1.0 put it here). */
export function inputBinding(owner: MapNode): InputBinding | undefined {
  const node = field(owner, 'inputBinding');
  return isMap(node) ? bindingOf(node) : undefined;
}

export function bindingOf(node: MapNode): InputBinding {
  return defined({
    position: numberOrString(field(node, 'position')),
    prefix: stringField(node, 'prefix'),
    separate: booleanField(node, 'separate'),
    itemSeparator: stringField(node, 'itemSeparator'),
    valueFrom: stringField(node, 'valueFrom'),
    shellQuote: booleanField(node, 'shellQuote'),
  });
}

export function outputBinding(owner: MapNode): OutputBinding | undefined {
  const node = field(owner, 'outputBinding');
  if (!isMap(node)) return undefined;
  return defined({
    glob: stringOrStrings(field(node, 'glob')),
    loadContents: booleanField(node, 'loadContents'),
    loadListing: loadListing(node),
    outputEval: stringField(node, 'outputEval'),
  });
}

export function fileOptions(node: MapNode, version: Version): FileOptions {
  const binding = field(node, 'inputBinding');
  const formats = stringsOf(field(node, 'format')).map((f) => (isExpression(f) ? f : expandPrefix(f, node.file.namespaces)));
  const [format] = formats;
  return defined({
    secondaryFiles: secondaryFiles(field(node, 'secondaryFiles'), version),
    streamable: booleanField(node, 'streamable'),
    format: formats.length > 1 ? formats : format,
    loadContents: booleanField(node, 'loadContents') ?? (isMap(binding) ? booleanField(binding, 'loadContents') : undefined),
    loadListing: loadListing(node),
  });
}

/** A trailing '?' means "not required" since v1.1; before, it was part of the pattern. */
function secondaryFiles(node: Node | undefined, version: Version): SecondaryFile[] | undefined {
  if (node === undefined) return undefined;
  return itemsOf(node).flatMap((item): SecondaryFile[] => {
    const text = stringOf(item) ?? (isMap(item) ? stringField(item, 'pattern') : undefined);
    if (text === undefined) return [];
    const optional = !isBefore(version, 'v1.1') && text.endsWith('?') && !isExpression(text);
    const pattern = optional ? text.slice(0, -1) : text;
    const required = isMap(item) ? (booleanField(item, 'required') ?? stringField(item, 'required')) : undefined;
    return [defined({ pattern, required: required ?? (optional ? false : undefined) })];
  });
}
