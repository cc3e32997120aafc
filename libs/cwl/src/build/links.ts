/**
 * References between the parts of a workflow: `input`, `step/output`, `#main/step/output` → SourceRef.
 * Whether the thing exists is asked later (link/), when all parts are known.
 */
import type { Link, LinkMerge, PickValue, SourceRef } from '@weft/plan';
import { field, isList, itemsOf, stringField, stringOf, type MapNode } from '../source/node.js';
import { shortName } from '../source/uri.js';
import { defined, type BuildContext } from './context.js';

/** `within`: fragment of the workflow, whose name packed documents put before everything. */
export function sourceRef(text: string, within: string | undefined): SourceRef {
  const at = text.indexOf('#');
  let path = at < 0 ? text : text.slice(at + 1);
  if (within !== undefined && path.startsWith(`${within}/`)) path = path.slice(within.length + 1);
  const slash = path.lastIndexOf('/');
  return slash < 0 ? { step: null, port: path } : { step: shortName(path.slice(0, slash)), port: path.slice(slash + 1) };
}

function linkMerge(node: MapNode): LinkMerge | undefined {
  const text = stringField(node, 'linkMerge');
  return text === 'merge_nested' || text === 'merge_flattened' ? text : undefined;
}

function pickValue(node: MapNode): PickValue | undefined {
  const text = stringField(node, 'pickValue');
  return text === 'first_non_null' || text === 'the_only_non_null' || text === 'all_non_null' ? text : undefined;
}

/**
 * The link that a step input, loop input or workflow output describes; undefined where it names no source.
 * One source is passed as it is, also from a list of one, unless linkMerge or pickValue asks for a list.
 */
export function linkOf(node: MapNode, sourceField: string, toRef: (text: string) => SourceRef, context: BuildContext): Link | undefined {
  const written = field(node, sourceField);
  if (written === undefined) return undefined;
  const sources = itemsOf(written).flatMap((item) => {
    const text = stringOf(item);
    return text === undefined ? [] : [context.origins.setPlace(toRef(text), item)];
  });
  const merge = linkMerge(node);
  const pick = pickValue(node);
  const list = isList(written) && written.items.length !== 1 ? true : merge !== undefined || (isList(written) && pick !== undefined);
  return defined<Link>({ sources, list, linkMerge: merge ?? 'merge_nested', pickValue: pick });
}
