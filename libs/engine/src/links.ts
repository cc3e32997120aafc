/**
 * How the values of one or several sources become one: linkMerge, then pickValue.
 * Source: CWL v1.2 Workflow §4.1 "WorkflowOutputParameter" (linkMerge, pickValue), v1.3 keeps them.
 */
import type { CwlValue, Link, PickValue } from '@weft/plan';
import { sourceKey } from './topology.js';

export type Linked = { ok: true; value: CwlValue } | { ok: false; reason: string };

/** The value of a link over values by source key; a source without a value counts as null. */
export function resolveLink(link: Link, values: { get(key: string): CwlValue | undefined }): Linked {
  const found = link.sources.map((source) => values.get(sourceKey(source)) ?? null);
  const single = found.length === 1 && !link.list;
  const merged: CwlValue = single ? (found[0] ?? null) : merge(found, link.linkMerge);
  if (link.pickValue === undefined) return { ok: true, value: merged };
  return pick(link.pickValue, single ? (Array.isArray(merged) ? merged : [merged]) : (merged as CwlValue[]));
}

function merge(values: CwlValue[], method: Link['linkMerge']): CwlValue[] {
  if (method === 'merge_nested') return values;
  return values.flatMap((value) => (Array.isArray(value) ? value : [value]));
}

function pick(method: PickValue, values: CwlValue[]): Linked {
  const present = values.filter((value) => value !== null);
  switch (method) {
    case 'all_non_null':
      return { ok: true, value: present };
    case 'first_non_null':
      return present.length > 0
        ? { ok: true, value: present[0] as CwlValue }
        : { ok: false, reason: 'pickValue is first_non_null, but every source is null' };
    case 'the_only_non_null':
      if (present.length === 1) return { ok: true, value: present[0] as CwlValue };
      return {
        ok: false,
        reason: `pickValue is the_only_non_null, but ${present.length === 0 ? 'every source is null' : `${present.length} sources are not null`}`,
      };
  }
}
