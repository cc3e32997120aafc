import type { Origin } from '@weft/plan';
import { positionOf } from '../diagnostics.js';
import { startOf, type MapNode } from '../source/node.js';
import { relativeUri } from '../source/uri.js';

/** Where a process or step was written; the file relative to the root document. */
export function originOf(node: MapNode, rootUri: string): Origin | undefined {
  const place = startOf(node);
  if (place.start < 0) return undefined;
  return { file: relativeUri(place.file.uri, rootUri), ...positionOf(place.file, place.start) };
}
