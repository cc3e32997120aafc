/**
 * A parsed document: maps, lists and scalars that know where they were written. Everything between YAML and the plan works on these.
 * Nodes are shared where the author used an alias or imported a file twice, so they are never changed in place, with one exception:
 * `alias` adds the name a misspelt field was meant to have, so that one mistake does not cause others.
 */
import type { CwlValue } from '@weft/plan';
import { exactOf } from './exact-numbers.js';

export interface SourceFile {
  uri: string;
  text: string;
  /** `$namespaces` of the document. */
  namespaces: Readonly<Record<string, string>>;
  /** Read by address: what is relative in it is relative to `uri`. (A job may have come without an address of its own.) */
  fetched?: true;
  /** Offsets at which lines start; computed when a diagnostic first needs them. */
  lineStarts?: number[];
}

/** A stretch of a file; offsets in UTF-16 code units. `start` < 0: place unknown. */
export interface Place {
  file: SourceFile;
  start: number;
  end: number;
}

export interface MapEntry {
  key: string;
  /** Of the key. */
  place: Place;
  value: Node;
}

export interface MapNode extends Place {
  kind: 'map';
  entries: Map<string, MapEntry>;
}

export interface ListNode extends Place {
  kind: 'list';
  items: Node[];
}

export interface ScalarNode extends Place {
  kind: 'scalar';
  value: null | boolean | number | string;
  /** Stands for something that could not be read, which was reported: say nothing more about it. */
  failed?: true;
  /** The digits of a whole number, where `value` prints others (exact-numbers.ts). */
  digits?: string;
}

export type Node = MapNode | ListNode | ScalarNode;

export const isMap = (node: Node | undefined): node is MapNode => node?.kind === 'map';
export const isList = (node: Node | undefined): node is ListNode => node?.kind === 'list';
export const isNull = (node: Node | undefined): boolean => node?.kind === 'scalar' && node.value === null;

export const isFailed = (node: Node | undefined): boolean => node?.kind === 'scalar' && node.failed === true;

/** The value of a field; a field that is null counts as absent. */
export function field(node: MapNode, name: string): Node | undefined {
  const value = node.entries.get(name)?.value;
  return isNull(value) ? undefined : value;
}

export function stringOf(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function booleanOf(node: Node | undefined): boolean | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : undefined;
}

export function numberOf(node: Node | undefined): number | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined;
}

export const stringField = (node: MapNode, name: string): string | undefined => stringOf(field(node, name));
export const booleanField = (node: MapNode, name: string): boolean | undefined => booleanOf(field(node, name));

/** A list's items; one value counts as a list of one, absence as an empty list. */
export function itemsOf(node: Node | undefined): Node[] {
  if (node === undefined || isNull(node)) return [];
  return isList(node) ? node.items : [node];
}

export function stringsOf(node: Node | undefined): string[] {
  return itemsOf(node).flatMap((item) => stringOf(item) ?? []);
}

/** Where a field was written: its key, or the whole map when it is absent. */
export function fieldPlace(node: MapNode, name: string): Place {
  return node.entries.get(name)?.place ?? startOf(node);
}

/** The place to show for a whole node: its first line is enough. */
export function startOf(node: Node): Place {
  if (node.kind === 'map') {
    for (const entry of node.entries.values()) if (entry.place.file === node.file && entry.place.start >= node.start) return entry.place;
  }
  return node;
}

/** A map made of other nodes; takes the place of `at`. */
export function mapNode(at: Place, fields: Iterable<[string, Node, Place?]>): MapNode {
  const entries = new Map<string, MapEntry>();
  for (const [key, value, place] of fields) entries.set(key, { key, place: place ?? at, value });
  return { kind: 'map', file: at.file, start: at.start, end: at.end, entries };
}

export function scalarNode(at: Place, value: ScalarNode['value']): ScalarNode {
  return { kind: 'scalar', file: at.file, start: at.start, end: at.end, value };
}

/** Lets later stages read a misspelt field under the name that was meant. */
export function alias(node: MapNode, entry: MapEntry, meant: string): void {
  if (!node.entries.has(meant)) node.entries.set(meant, { ...entry, key: meant });
}

/** A whole number digit by digit, as far as any type does. */
export function scalarValue(node: ScalarNode): CwlValue {
  return node.digits === undefined ? node.value : (exactOf(node.digits) ?? node.value);
}

/** Plain JSON without places. */
export function toJson(node: Node): CwlValue {
  if (node.kind === 'scalar') return scalarValue(node);
  if (node.kind === 'list') return node.items.map(toJson);
  const object: Record<string, CwlValue> = {};
  for (const entry of node.entries.values()) setOwn(object, entry.key, toJson(entry.value));
  return object;
}

/** Sets a member also where its name is `__proto__`. */
export function setOwn<T>(object: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/** Nodes for plain JSON that came from elsewhere; every place is `at`. */
export function fromJson(value: unknown, at: Place): Node {
  if (Array.isArray(value))
    return { kind: 'list', file: at.file, start: at.start, end: at.end, items: value.map((item) => fromJson(item, at)) };
  if (typeof value === 'object' && value !== null) {
    return mapNode(
      at,
      Object.entries(value)
        .filter(([, v]) => v !== undefined)
        .map(([k, v]): [string, Node] => [k, fromJson(v, at)]),
    );
  }
  if (typeof value === 'bigint') return { ...scalarNode(at, Number(value)), digits: String(value) };
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return scalarNode(at, value);
  return scalarNode(at, null);
}

/** The scalars in a value that are whole numbers of more than 64 bits. */
export function numbersTooLong(node: Node): ScalarNode[] {
  if (node.kind === 'scalar') return node.digits === undefined || exactOf(node.digits) !== undefined ? [] : [node];
  if (node.kind === 'list') return node.items.flatMap(numbersTooLong);
  return [...node.entries.values()].flatMap((entry) => numbersTooLong(entry.value));
}
