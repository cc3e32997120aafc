/**
 * Types that SchemaDefRequirements declare, and the names by which a packed document knows them: `#<file>/<name>`, one per type.
 * Two different types of one short name get different ones, as all of them end up in one file.
 */
import { requirementClass, requirementItems } from '../check/requirement-shapes.js';
import { field, isMap, itemsOf, stringField, type MapNode, type Node } from '../source/node.js';
import { resolveUri, shortName, splitFragment } from '../source/uri.js';
import { UniqueNames } from './unique-names.js';

export class TypeNames {
  /** `<address>#<short name>` → name in the packed document. */
  private readonly names = new Map<string, string>();
  private readonly shortNames = new UniqueNames();

  /** Learns the types that a process declares. */
  declare(process: MapNode): void {
    for (const type of declaredTypes(process)) {
      const name = stringField(type, 'name');
      if (name === undefined) continue;
      const key = `${type.file.uri}#${shortName(name)}`;
      if (!this.names.has(key)) this.names.set(key, `#${shortName(type.file.uri)}/${this.shortNames.take(shortName(name))}`);
    }
  }

  /** A name of a type as the packed document must write it; `?` and `[]` stay. */
  reference(written: string, at: Node): string {
    const suffix = suffixOf(written);
    const name = written.slice(0, written.length - suffix.length);
    const known = this.names.get(absolute(name, at.file.uri));
    if (known !== undefined) return known + suffix;
    return name.includes('#') ? `#${shortName(name)}${suffix}` : written;
  }
}

/** `?` and `[]` at its end, in any number. */
function suffixOf(written: string): string {
  let end = written.length;
  for (;;) {
    if (written[end - 1] === '?') end -= 1;
    else if (written.endsWith('[]', end)) end -= 2;
    else return written.slice(end);
  }
}

function declaredTypes(process: MapNode): MapNode[] {
  return ['requirements', 'hints'].flatMap((which) =>
    requirementItems(field(process, which)).flatMap(({ written, node }) => {
      if (written === undefined || !isMap(node)) return [];
      if (requirementClass(written, node.file.namespaces).name !== 'SchemaDefRequirement') return [];
      return itemsOf(field(node, 'types')).filter(isMap);
    }),
  );
}

function absolute(name: string, base: string): string {
  const { uri, fragment } = splitFragment(resolveUri(name.includes('#') ? name : `#${name}`, base));
  return `${uri}#${shortName(fragment ?? '')}`;
}
