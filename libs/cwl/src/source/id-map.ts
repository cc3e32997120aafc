/** Map forms: `{name: value}` in place of a list of maps with an id (Schema Salad §4.3 "Identifier maps"). */
import { isList, isMap, isNull, mapNode, stringField, type MapNode, type Node, type Place } from './node.js';
import { shortName } from './uri.js';

export interface IdMapItem {
  /** Short name; absent where a list item has no id. */
  name?: string;
  /** As the author wrote it. */
  rawName?: string;
  /** Of the name. */
  place: Place;
  /** A map when well-formed. */
  node: Node;
}

/** The items of either form. In the map form a value that is no map becomes `{predicate: value}`; null is an empty map. */
export function idMapItems(node: Node | undefined, subject: string, predicate?: string): IdMapItem[] {
  if (isList(node)) return node.items.map((item) => listItem(item, subject));
  if (!isMap(node)) return [];
  return [...node.entries.values()].map((entry) => {
    const named = { name: shortName(entry.key), rawName: entry.key, place: entry.place };
    if (isMap(entry.value)) return { ...named, node: entry.value };
    if (isNull(entry.value)) return { ...named, node: mapNode(entry.place, []) };
    return { ...named, node: predicate === undefined ? entry.value : mapNode(entry.value, [[predicate, entry.value, entry.place]]) };
  });
}

function listItem(item: Node, subject: string): IdMapItem {
  if (!isMap(item)) return { place: item, node: item };
  const id = stringField(item, subject);
  const place = item.entries.get(subject)?.value ?? item;
  return id === undefined ? { place, node: item } : { name: shortName(id), rawName: id, place, node: item };
}

/** The maps among the items, each with its name. What is left out was reported by the validator. */
export function namedMaps(
  node: Node | undefined,
  subject: string,
  predicate?: string,
): { name: string; rawName: string; place: Place; node: MapNode }[] {
  return idMapItems(node, subject, predicate).flatMap(({ name, rawName, place, node: item }) =>
    name === undefined || name === '' || !isMap(item) ? [] : [{ name, rawName: rawName ?? name, place, node: item }],
  );
}
