/**
 * Parameter references: `(inputs.x.y[0]['z']["w"])`, evaluated without JavaScript.
 * Source: CWL v1.2 CommandLineTool §3.5.1.
 *
 * Invariant: where a reference evaluates to a value, JavaScript would give the same one; whatever else JavaScript could make of
 * the text (missing members, `length` of a string, inherited members, escapes) is reported as a miss.
 */
import type { CwlObject, CwlValue } from '@weft/plan';

export type PathSegment = string | number;

export interface ParameterReference {
  root: string;
  path: PathSegment[];
  /** A quoted segment has a backslash in it: JavaScript and parameter references read these differently. */
  escaped: boolean;
}

/** What a reference leads to, or why it leads nowhere. */
export type Resolved = { found: true; value: CwlValue } | { found: false; reason: string };

const ROOT = /^\(([\p{L}\p{N}_]+)/u;
const SEGMENT = /\.([\p{L}\p{N}_]+)|\['((?:[^'\\]|\\[^])+)'\]|\["((?:[^"\\]|\\[^])+)"\]|\[([0-9]+)\]/uy;

/** Undefined where the text is not a parameter reference. */
export function parseParameterReference(code: string): ParameterReference | undefined {
  const root = ROOT.exec(code);
  if (!root?.[1]) return undefined;
  const path: PathSegment[] = [];
  let escaped = false;
  let at = root[0].length;
  while (code[at] !== ')') {
    SEGMENT.lastIndex = at;
    const segment = SEGMENT.exec(code);
    if (!segment) return undefined;
    const quoted = segment[2] ?? segment[3];
    if (quoted?.includes('\\')) escaped = true;
    path.push(segment[4] !== undefined ? Number(segment[4]) : (segment[1] ?? quoted?.replace(/\\([^])/gu, '$1') ?? ''));
    at = SEGMENT.lastIndex;
  }
  return at === code.length - 1 ? { root: root[1], path, escaped } : undefined;
}

export function resolveReference(reference: ParameterReference, roots: CwlObject): Resolved {
  if (reference.root === 'null' && reference.path.length === 0) return { found: true, value: null };
  const start = own(roots, reference.root);
  if (start === undefined) return miss(`'${reference.root}' is not defined; there are ${Object.keys(roots).join(', ')}`);
  let value: CwlValue = start;
  let seen = reference.root;
  for (const [index, segment] of reference.path.entries()) {
    const isLast = index === reference.path.length - 1;
    const next = step(value, segment, seen, isLast);
    if (!next.found) return next;
    value = next.value;
    seen += typeof segment === 'number' ? `[${segment}]` : `.${segment}`;
  }
  return { found: true, value };
}

function step(value: CwlValue, segment: PathSegment, seen: string, isLast: boolean): Resolved {
  if (Array.isArray(value)) {
    if (segment === 'length' && isLast) return { found: true, value: value.length };
    if (typeof segment === 'string') return miss(`${seen} is an array: it has no field '${segment}'`);
    const item = value[segment];
    return item === undefined
      ? miss(`${seen}[${segment}] is out of range: ${seen} has ${count(value.length, 'item')}`)
      : { found: true, value: item };
  }
  if (typeof value !== 'object' || value === null) {
    const what = value === null ? 'null' : `a ${typeof value === 'bigint' ? 'number' : typeof value}`;
    return miss(`${seen} is ${what}: it has no ${typeof segment === 'number' ? 'items' : `field '${segment}'`}`);
  }
  if (typeof segment === 'number') return miss(`${seen} is not an array: [${segment}] names nothing`);
  const member = own(value, segment);
  if (member !== undefined) return { found: true, value: member };
  const fields = Object.keys(value).filter((key) => value[key] !== undefined);
  return miss(`${seen} has no field '${segment}' (${fields.length === 0 ? 'it has none' : `it has: ${shortList(fields)}`})`);
}

function own(object: CwlObject, key: string): CwlValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function miss(reason: string): Resolved {
  return { found: false, reason };
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function shortList(names: string[]): string {
  return names.length <= 20 ? names.join(', ') : `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
}
