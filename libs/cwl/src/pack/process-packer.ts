/**
 * Writes processes as items of a `$graph`: what a `run` names becomes an item, what is written in the step stays there.
 * Source: CWL v1.2 §4.2.5 "Packed documents"; identifiers of parameters and steps are relative to their process.
 */
import type { CwlObject, CwlValue } from '@weft/plan';
import { sourceRef } from '../build/links.js';
import type { Reporter } from '../diagnostics.js';
import type { DocumentStore } from '../documents/document-store.js';
import { resolveRun, versionOf, type Target } from '../documents/select.js';
import { isList, isMap, setOwn, stringField, stringOf, type MapNode, type Node } from '../source/node.js';
import { fragmentOf, shortName } from '../source/uri.js';
import type { Version } from '../source/version.js';
import { NamespaceMerger } from './namespaces.js';
import { TypeNames } from './type-names.js';
import { UniqueNames } from './unique-names.js';
import { ValuePacker } from './value-packer.js';

/** Where a process stands: in the original, for reading its references, and in the packed document, for writing them. */
interface Scope {
  within?: string;
  /** `#id` of an item of the graph; absent for a process written in a step, whose references are relative. */
  item?: string;
  version: Version;
}

const DROPPED = ['id', 'cwlVersion', '$namespaces', '$schemas', '$graph'];

export class ProcessPacker {
  private readonly merger = new NamespaceMerger();
  private readonly types = new TypeNames();
  private readonly ids = new UniqueNames();
  private readonly known = new Map<MapNode, string>();
  private readonly open: { target: Target; id: string; inherited: Version }[] = [];
  private readonly values: ValuePacker;
  private rootVersion: Version = 'v1.2';

  constructor(
    private readonly store: DocumentStore,
    private readonly reporter: Reporter,
    fileReference: (location: string) => string,
  ) {
    this.values = new ValuePacker(this.merger, this.types, fileReference);
  }

  get namespaces(): Readonly<Record<string, string>> {
    return this.merger.merged;
  }

  /** The version as the root declares it, and the items of the graph, the root first. */
  pack(root: Target): { version: string; graph: CwlObject[] } {
    this.rootVersion = this.versionOf(root.node, 'v1.2');
    this.itemFor(root, this.rootVersion, 'main');
    const graph: CwlObject[] = [];
    for (let next = this.open.shift(); next !== undefined; next = this.open.shift()) {
      const { target, id, inherited } = next;
      const scope = { within: target.fragment, item: id, version: inherited };
      graph.push({ id: `#${id}`, ...this.process(target.node, scope, this.rootVersion) });
    }
    return { version: stringField(root.node, 'cwlVersion') ?? root.document.version?.text ?? this.rootVersion, graph };
  }

  private versionOf(node: MapNode, inherited: Version): Version {
    return versionOf(node, this.store.loaded(node.file.uri), inherited, this.reporter) ?? inherited;
  }

  private itemFor(target: Target, inherited: Version, wanted: string): string {
    const known = this.known.get(target.node);
    if (known !== undefined) return known;
    const id = this.ids.take(wanted);
    this.known.set(target.node, id);
    this.open.push({ target, id, inherited });
    return id;
  }

  /** `around`: the version that holds where the process is going to stand. */
  private process(node: MapNode, place: Scope, around: Version): CwlObject {
    this.types.declare(node);
    const version = this.versionOf(node, place.version);
    const id = stringField(node, 'id');
    const scope = { ...place, within: id === undefined ? place.within : fragmentOf(id), version };
    const packed: CwlObject = version === around ? {} : { cwlVersion: version };
    for (const { key, value } of node.entries.values()) {
      if (DROPPED.includes(key)) continue;
      setOwn(packed, this.merger.name(key, node.file), this.part(key, value, scope));
    }
    return packed;
  }

  private part(key: string, value: Node, scope: Scope): CwlValue {
    const sources = (text: string): string => this.source(text, scope);
    switch (key) {
      case 'inputs':
        return this.named(value, (item) => this.values.parameter(item));
      case 'outputs':
        return this.named(value, (item) => this.withSources(this.values.parameter(item), 'outputSource', sources));
      case 'steps':
        return this.named(value, (item, name) => this.step(item, name, scope));
      default:
        return this.values.value(value);
    }
  }

  /** The items of a list or map of named things, their names made short. */
  private named(node: Node, pack: (item: Node, name: string) => CwlValue): CwlValue {
    if (isList(node)) {
      return node.items.map((item) => {
        const id = isMap(item) ? stringField(item, 'id') : undefined;
        const packed = pack(item, shortName(id ?? ''));
        return id !== undefined && isPlainObject(packed) ? { ...packed, id: shortName(id) } : packed;
      });
    }
    if (!isMap(node)) return this.values.value(node);
    const packed: CwlObject = {};
    for (const { key, value } of node.entries.values()) setOwn(packed, shortName(key), pack(value, shortName(key)));
    return packed;
  }

  private step(node: Node, name: string, scope: Scope): CwlValue {
    if (!isMap(node)) return this.values.value(node);
    const packed: CwlObject = {};
    for (const { key, value } of node.entries.values())
      setOwn(packed, this.merger.name(key, node.file), this.stepPart(key, value, name, scope));
    return packed;
  }

  private stepPart(key: string, value: Node, step: string, scope: Scope): CwlValue {
    const short = (packed: CwlValue): CwlValue => eachString(packed, shortName);
    switch (key) {
      case 'run':
        return this.run(value, step, scope);
      case 'in':
        return this.named(value, (item) =>
          isMap(item)
            ? this.withSources(this.values.value(item), 'source', (text) => this.source(text, scope))
            : eachString(this.values.value(item), (text) => this.source(text, scope)),
        );
      case 'loop':
        return this.named(value, (item) =>
          isMap(item) ? this.withSources(this.values.value(item), 'outputSource', shortName) : short(this.values.value(item)),
        );
      case 'out':
        return isList(value)
          ? value.items.map((item) => (isMap(item) ? this.outName(item) : short(this.values.value(item))))
          : this.values.value(value);
      case 'scatter':
        return short(this.values.value(value));
      default:
        return this.values.value(value);
    }
  }

  private outName(item: MapNode): CwlValue {
    const packed = this.values.value(item);
    return isPlainObject(packed) ? { ...packed, id: shortName(stringField(item, 'id') ?? '') } : packed;
  }

  private run(run: Node, step: string, scope: Scope): CwlValue {
    if (isMap(run)) {
      const within = scope.within === undefined ? `${step}/run` : `${scope.within}/${step}/run`;
      return this.process(run, { within, version: scope.version }, scope.version);
    }
    const target = resolveRun(run, this.store, this.reporter);
    if (target === undefined) throw new Error(`'${stringOf(run) ?? ''}' was found once but not twice`);
    return `#${this.itemFor(target, scope.version, shortName(target.fragment ?? target.document.file.uri))}`;
  }

  private withSources(packed: CwlValue, key: string, rewrite: (text: string) => string): CwlValue {
    if (!isPlainObject(packed) || packed[key] === undefined) return packed;
    return { ...packed, [key]: eachString(packed[key], rewrite) };
  }

  private source(text: string, scope: Scope): string {
    const { step, port } = sourceRef(text, scope.within);
    const path = step === null ? port : `${step}/${port}`;
    return scope.item === undefined ? path : `#${scope.item}/${path}`;
  }
}

function isPlainObject(value: CwlValue): value is CwlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A string, or a list of strings. */
function eachString(value: CwlValue, change: (text: string) => string): CwlValue {
  if (typeof value === 'string') return change(value);
  return Array.isArray(value) ? value.map((item) => eachString(item, change)) : value;
}
