/**
 * Parts of a document as JSON: names of types and prefixes as the packed document knows them, files by their absolute address
 * (or what the caller makes of it). Everything else stays as it was written, expressions above all.
 */
import type { CwlObject, CwlValue } from '@weft/plan';
import { valueOf } from '../build/values.js';
import { isFileObject } from '../check/rules.js';
import { isList, isMap, setOwn, stringField, stringOf, type MapNode, type Node, scalarValue } from '../source/node.js';
import { shortName } from '../source/uri.js';
import type { NamespaceMerger } from './namespaces.js';
import type { TypeNames } from './type-names.js';

/** What can be declared under a name. */
const KINDS = ['record', 'enum', 'array'];

export class ValuePacker {
  constructor(
    private readonly merger: NamespaceMerger,
    private readonly types: TypeNames,
    private readonly fileReference: (location: string) => string,
  ) {}

  /** A parameter of a process: a map, or its type alone. */
  parameter(node: Node): CwlValue {
    return isMap(node) ? this.map(node, true) : this.type(node);
  }

  value(node: Node): CwlValue {
    if (node.kind === 'scalar') return scalarValue(node);
    if (isList(node)) return node.items.map((item) => this.value(item));
    return isFileObject(node) ? this.file(node) : this.map(node, false);
  }

  /** `typed`: the field `type` holds a type. */
  private map(node: MapNode, typed: boolean): CwlObject {
    const packed: CwlObject = {};
    for (const { key, value } of node.entries.values()) {
      setOwn(packed, this.merger.name(key, node.file), typed && key === 'type' ? this.type(value) : this.member(key, value));
    }
    return packed;
  }

  private member(key: string, node: Node): CwlValue {
    const text = stringOf(node);
    if ((key === 'class' || key === 'format') && text !== undefined) return this.merger.name(text, node.file);
    if (key === 'format' && isList(node)) return node.items.map((item) => this.member(key, item));
    if (key === 'types' && isList(node)) return node.items.map((item) => this.declared(item));
    return this.value(node);
  }

  /** An item of SchemaDefRequirement.types; other fields called `types` hold no maps with a name and a type. */
  private declared(node: Node): CwlValue {
    const name = isMap(node) ? stringField(node, 'name') : undefined;
    if (!isMap(node) || name === undefined || !KINDS.includes(stringField(node, 'type') ?? '')) return this.value(node);
    return { ...this.typeMap(node), name: this.types.reference(name, node) };
  }

  private type(node: Node): CwlValue {
    const text = stringOf(node);
    if (text !== undefined) return this.types.reference(text, node);
    if (isList(node)) return node.items.map((item) => this.type(item));
    return isMap(node) ? this.typeMap(node) : this.value(node);
  }

  private typeMap(node: MapNode): CwlObject {
    const packed: CwlObject = {};
    for (const { key, value } of node.entries.values()) {
      const written =
        key === 'type' || key === 'items' ? this.type(value) : key === 'fields' ? this.fields(value) : this.member(key, value);
      setOwn(packed, this.merger.name(key, node.file), written);
    }
    return packed;
  }

  private fields(node: Node): CwlValue {
    if (isList(node)) {
      return node.items.map((item) => {
        const name = isMap(item) ? stringField(item, 'name') : undefined;
        return name === undefined ? this.value(item) : { ...(this.parameter(item) as CwlObject), name: shortName(name) };
      });
    }
    if (!isMap(node)) return this.value(node);
    const packed: CwlObject = {};
    for (const { key, value } of node.entries.values()) setOwn(packed, key, this.parameter(value));
    return packed;
  }

  private file(node: MapNode): CwlObject {
    const packed = this.map(node, false);
    const resolved = valueOf(node);
    const location = typeof resolved === 'object' && resolved !== null && !Array.isArray(resolved) ? resolved['location'] : undefined;
    if (typeof location !== 'string') return packed;
    const { path: _path, ...rest } = packed;
    return { ...rest, location: this.fileReference(location) };
  }
}
