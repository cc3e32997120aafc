/** Named types (SchemaDefRequirement, and types that carry a name): who can see which. */
import { stringField, type MapNode, type Place } from '../source/node.js';
import { resolveUri, shortName, splitFragment } from '../source/uri.js';
import type { CwlType } from '@weft/plan';

export interface NamedType {
  node: MapNode;
  /** Absent until first used; 'open' while it is being resolved. */
  type?: CwlType | 'open';
}

/** A process sees its own types and those of the processes it is written in. */
export class TypeScope {
  private readonly byUri = new Map<string, NamedType>();
  private readonly byName = new Map<string, NamedType>();

  constructor(private readonly parent?: TypeScope) {}

  declare(node: MapNode): void {
    const name = stringField(node, 'name');
    if (name === undefined) return;
    const named: NamedType = { node };
    const short = shortName(name);
    this.byUri.set(`${node.file.uri}#${short}`, named);
    if (!this.byName.has(short)) this.byName.set(short, named);
  }

  lookup(reference: string, at: Place): NamedType | undefined {
    const uri = absolute(reference, at.file.uri);
    return this.find((scope) => scope.byUri.get(uri)) ?? this.find((scope) => scope.byName.get(shortName(reference)));
  }

  names(): string[] {
    return [...this.byName.keys(), ...(this.parent?.names() ?? [])];
  }

  private find(get: (scope: TypeScope) => NamedType | undefined): NamedType | undefined {
    return get(this) ?? this.parent?.find(get);
  }
}

function absolute(reference: string, base: string): string {
  try {
    const { uri, fragment } = splitFragment(resolveUri(reference.includes('#') ? reference : `#${reference}`, base));
    return `${uri}#${shortName(fragment ?? '')}`;
  } catch {
    return reference;
  }
}
