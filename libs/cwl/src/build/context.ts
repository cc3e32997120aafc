/** What every builder is handed, and the small helpers they share. */
import type { Reporter } from '../diagnostics.js';
import type { MapNode, Place } from '../source/node.js';
import type { Version } from '../source/version.js';
import type { TypeScope } from './type-scope.js';
import type { TypeSizes } from './type-sizes.js';

export interface BuildContext {
  reporter: Reporter;
  version: Version;
  types: TypeScope;
  origins: Origins;
  typeSizes: TypeSizes;
}

/** Where parts of the plan were written; kept beside the plan so that the plan stays plain JSON. */
export class Origins {
  private readonly nodes = new Map<object, MapNode>();
  private readonly places = new Map<object, Place>();

  setNode<T extends object>(part: T, node: MapNode): T {
    this.nodes.set(part, node);
    return part;
  }

  setPlace<T extends object>(part: T, place: Place): T {
    this.places.set(part, place);
    return part;
  }

  node(part: object): MapNode | undefined {
    return this.nodes.get(part);
  }

  place(part: object): Place | undefined {
    return this.places.get(part);
  }
}

/** The object without its undefined members. A copy, because `delete` turns objects into slow dictionaries. */
export function defined<T extends object>(object: T): T {
  const copy: Partial<T> = {};
  for (const key of Object.keys(object) as (keyof T)[]) if (object[key] !== undefined) copy[key] = object[key];
  return copy as T;
}
