/**
 * `$import`, `$include` and `$mixin` (Schema Salad §2.7–2.9): replaced by what they name, relative to the file they are written in.
 * An imported list inside a list is spliced into it.
 */
import {
  field,
  fieldPlace,
  isList,
  isMap,
  scalarNode,
  stringOf,
  type MapEntry,
  type MapNode,
  type Node,
  type Place,
  type ScalarNode,
} from '../source/node.js';

/** What the directives need of the store of documents. Both report what goes wrong and then answer undefined. */
export interface DirectiveSource {
  /** The node behind a reference, its own directives resolved. `chain`: files being imported around it. */
  importNode(reference: string, at: Place, chain: readonly string[]): Promise<Node | undefined>;
  includeText(reference: string, at: Place): Promise<string | undefined>;
}

const DIRECTIVES = ['$import', '$include', '$mixin'];

export async function resolveDirectives(node: Node, source: DirectiveSource, chain: readonly string[]): Promise<Node> {
  if (!DIRECTIVES.some((d) => node.file.text.includes(d))) return node;
  return new DirectiveResolver(source, chain).resolve(node);
}

class DirectiveResolver {
  private readonly done = new Map<Node, Node>();

  constructor(
    private readonly source: DirectiveSource,
    private readonly chain: readonly string[],
  ) {}

  async resolve(node: Node): Promise<Node> {
    if (node.kind === 'scalar') return node;
    const known = this.done.get(node);
    if (known) return known;
    const resolved = isList(node) ? await this.list(node.items, node) : await this.map(node);
    this.done.set(node, resolved);
    return resolved;
  }

  private async list(items: Node[], at: Place): Promise<Node> {
    const resolved: Node[] = [];
    for (const item of items) {
      const value = item.kind === 'scalar' ? item : await this.resolve(item);
      if (value !== item && isList(value) && isMap(item) && item.entries.has('$import')) for (const one of value.items) resolved.push(one);
      else resolved.push(value);
    }
    return { kind: 'list', file: at.file, start: at.start, end: at.end, items: resolved };
  }

  private async map(node: MapNode): Promise<Node> {
    const imported = stringOf(field(node, '$import'));
    if (imported !== undefined) return (await this.source.importNode(imported, fieldPlace(node, '$import'), this.chain)) ?? failed(node);
    const included = stringOf(field(node, '$include'));
    if (included !== undefined) {
      const text = await this.source.includeText(included, fieldPlace(node, '$include'));
      return text === undefined ? failed(node) : scalarNode(node, text);
    }
    const entries = new Map<string, MapEntry>();
    const mixin = stringOf(field(node, '$mixin'));
    if (mixin !== undefined) {
      const base = await this.source.importNode(mixin, fieldPlace(node, '$mixin'), this.chain);
      if (isMap(base)) for (const entry of base.entries.values()) entries.set(entry.key, entry);
    }
    for (const entry of node.entries.values()) {
      if (entry.key === '$mixin') continue;
      entries.set(entry.key, entry.value.kind === 'scalar' ? entry : { ...entry, value: await this.resolve(entry.value) });
    }
    return { ...node, entries };
  }
}

function failed(at: Place): ScalarNode {
  return { ...scalarNode(at, null), failed: true };
}
