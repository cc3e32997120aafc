/** Values written in documents: File and Directory objects get absolute locations, relative to the file they are written in. */
import type { CwlObject, CwlValue } from '@weft/plan';
import { isMap, setOwn, stringOf, toJson, type Node } from '../source/node.js';
import { isFileObject } from '../check/rules.js';
import { expandPrefix, resolveFileName } from '../source/uri.js';

export function valueOf(node: Node): CwlValue {
  if (node.kind === 'list') return node.items.map(valueOf);
  if (!isMap(node)) return toJson(node);
  const object: CwlObject = {};
  for (const { key, value } of node.entries.values()) setOwn(object, key, valueOf(value));
  if (!isFileObject(node)) return object;
  const location = node.entries.get('location')?.value;
  const written = stringOf(location) ?? stringOf(node.entries.get('path')?.value);
  if (written !== undefined) {
    const name = stringOf(location) === undefined ? written.replace(/%/g, '%25') : written;
    object['location'] = resolveFileName(name, (location ?? node).file.uri);
    delete object['path'];
  }
  const format = object['format'];
  if (typeof format === 'string') object['format'] = expandPrefix(format, node.file.namespaces);
  return object;
}
