/**
 * A value of a job against the type of its input. Types of a plan are resolved; see libs/plan.
 *
 * Invariants:
 *  1. The result is undefined exactly where an error was added.
 *  2. Of a union the first member that fits without a remark wins, else the first that fits.
 *  3. One mistake gives one error; where a union does not fit, the error is that of the member the author most likely meant.
 */
import { type CwlObject, type CwlType, type CwlValue, type EnumType, isLong, type RecordType } from '@weft/plan';
import { namesOf } from '../diagnostics.js';
import { acceptsNull, typeName, withoutNull } from '../link/assignable.js';
import { exactOf, TOO_LONG_HINT, tooLongMessage } from '../source/exact-numbers.js';
import { didYouMean } from '../source/nearest-name.js';
import { field, isList, isMap, isNull, setOwn, startOf, stringField, type MapNode, type Node, type ScalarNode } from '../source/node.js';
import { isFileNode, normaliseFile } from './file-values.js';
import { Problems } from './problems.js';

/** Of `int`; a `long` beyond doubles has its digits. */
const INT = [-(2 ** 31), 2 ** 31 - 1] as const;

export interface ConformContext {
  /** Relative locations refer to it. */
  baseUri: string;
  problems: Problems;
  /** Values that may still be tried against types: unions of unions try each of them many times. */
  tries: { left: number };
}

export const TOO_MANY_TRIES = 'the inputs fit too many alternatives of their types to be checked; write simpler types';

/** `subject` names the value in messages: "input 'x'", "item 2 of input 'x'". */
export function conform(node: Node, type: CwlType, subject: string, context: ConformContext): CwlValue | undefined {
  context.tries.left -= 1;
  if (context.tries.left < 0) return undefined;
  if (Array.isArray(type)) return conformUnion(node, type, subject, context);
  if (typeof type === 'string') return conformNamed(node, type, subject, context);
  if (type.type === 'enum') return conformEnum(node, type, subject, context);
  if (type.type === 'record') return conformRecord(node, type, subject, context);
  if (!isList(node)) {
    const hint = isNull(node) ? undefined : 'write it as a list, also where there is only one: [ … ]';
    return mismatch(node, type, subject, context, hint);
  }
  const items = node.items.map((item, index) => conform(item, type.items, `item ${index + 1} of ${subject}`, context));
  return items.includes(undefined) ? undefined : (items as CwlValue[]);
}

function conformUnion(node: Node, members: CwlType[], subject: string, context: ConformContext): CwlValue | undefined {
  const tries = members.map((type) => {
    const problems = new Problems();
    return { type, problems, value: conform(node, type, subject, { ...context, problems }) };
  });
  const fitting = tries.filter((attempt) => attempt.value !== undefined);
  const best = fitting.find((attempt) => attempt.problems.count === 0) ?? fitting[0] ?? meant(node, members, tries);
  if (best === undefined) return mismatch(node, members, subject, context, hintFor(node, members));
  context.problems.add(best.problems);
  return best.value;
}

/** The only member that has the shape of the value, where there is one. */
function meant<T extends { type: CwlType }>(node: Node, members: CwlType[], tries: T[]): T | undefined {
  const rest = withoutNull(members);
  if (!Array.isArray(rest)) return tries.find((attempt) => attempt.type !== 'null');
  const similar = tries.filter(({ type }) => {
    if (isMap(node) && isFileNode(node)) return type === stringField(node, 'class');
    if (type === 'long') return isLongWithDigits(node);
    if (typeof type === 'string' || Array.isArray(type)) return false;
    return (type.type === 'record' && isMap(node)) || (type.type === 'array' && isList(node));
  });
  return similar.length === 1 ? similar[0] : undefined;
}

function conformNamed(node: Node, type: string, subject: string, context: ConformContext): CwlValue | undefined {
  if (type === 'Any') return isNull(node) ? mismatch(node, 'Any', subject, context) : anyValue(node, subject, context);
  if (type === 'File' || type === 'Directory') {
    if (isMap(node) && isFileNode(node) && stringField(node, 'class') === type)
      return normaliseFile(node, context.baseUri, subject, context.problems);
    return mismatch(node, type, subject, context, hintFor(node, type));
  }
  if (isLongWithDigits(node) && type === 'long') return exactValue(node, subject, context);
  if (node.kind !== 'scalar' || !scalarFits(node.value, type))
    return mismatch(node, type as CwlType, subject, context, hintFor(node, type));
  return node.value;
}

function isLongWithDigits(node: Node): node is ScalarNode & { digits: string } {
  return node.kind === 'scalar' && node.digits !== undefined && exactOf(node.digits) !== undefined;
}

/** A whole number prints as it was written; fractions (`float`, `double`) are the nearest double by definition. */
function exactValue(node: ScalarNode, subject: string, context: ConformContext): CwlValue | undefined {
  if (node.digits === undefined) return node.value;
  const exact = exactOf(node.digits);
  if (exact === undefined) context.problems.error(node, 'inexact-number', `${subject}: ${tooLongMessage(node.digits)}`, TOO_LONG_HINT);
  return exact;
}

function scalarFits(value: ScalarNode['value'], type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'float' || type === 'double') return typeof value === 'number';
  if (type === 'int') return typeof value === 'number' && Number.isInteger(value) && value >= INT[0] && value <= INT[1];
  if (type === 'long') return typeof value === 'number' && Number.isInteger(value) && isLong(value);
  return typeof value === type;
}

function conformEnum(node: Node, type: EnumType, subject: string, context: ConformContext): CwlValue | undefined {
  if (node.kind === 'scalar') {
    const symbol = typeof node.value === 'string' ? node.value : node.value === null ? undefined : String(node.value);
    if (symbol !== undefined && symbolsOf(type).has(symbol)) return symbol;
    if (symbol !== undefined) {
      context.problems.error(
        node,
        'input-type',
        () => `${subject} must be one of ${namesOf(type.symbols)}; it is '${symbol}'`,
        () => didYouMean(symbol, type.symbols),
      );
      return undefined;
    }
  }
  return mismatch(node, type, subject, context);
}

const symbolSets = new WeakMap<EnumType, ReadonlySet<string>>();

/** Each item of an array is looked up. */
function symbolsOf(type: EnumType): ReadonlySet<string> {
  const known = symbolSets.get(type) ?? new Set(type.symbols);
  symbolSets.set(type, known);
  return known;
}

function conformRecord(node: Node, type: RecordType, subject: string, context: ConformContext): CwlValue | undefined {
  if (!isMap(node) || isFileNode(node)) return mismatch(node, type, subject, context);
  const record: CwlObject = {};
  let complete = true;
  for (const wanted of type.fields) {
    const given = field(node, wanted.name);
    const name = `field '${wanted.name}' of ${subject}`;
    let value: CwlValue | undefined = null;
    if (given !== undefined) value = conform(given, wanted.type, name, context);
    else if (!acceptsNull(wanted.type)) {
      context.problems.error(startOf(node), 'missing-input', `${name} is missing (${typeName(wanted.type)})`);
      value = undefined;
    }
    if (value === undefined) complete = false;
    else setOwn(record, wanted.name, value);
  }
  const names = new Set(type.fields.map((f) => f.name));
  for (const { key, place } of node.entries.values()) {
    if (!names.has(key))
      context.problems.warning(
        place,
        'unknown-field',
        () => `${subject} has no field '${key}'; it is ignored`,
        () => didYouMean(key, names),
      );
  }
  return complete ? record : undefined;
}

/** Any JSON value; Files and Directories in it are made normal. */
function anyValue(node: Node, subject: string, context: ConformContext): CwlValue | undefined {
  if (node.kind === 'scalar') return exactValue(node, subject, context);
  if (isMap(node) && isFileNode(node)) return normaliseFile(node, context.baseUri, subject, context.problems);
  if (isList(node)) {
    const items = node.items.map((item) => anyValue(item, subject, context));
    return items.includes(undefined) ? undefined : (items as CwlValue[]);
  }
  const object: CwlObject = {};
  for (const { key, value } of node.entries.values()) {
    const member = anyValue(value, subject, context);
    if (member === undefined) return undefined;
    setOwn(object, key, member);
  }
  return object;
}

function mismatch(node: Node, type: CwlType, subject: string, context: ConformContext, hint?: string): undefined {
  const wanted = type === 'Any' ? 'a value' : typeName(type);
  context.problems.error(startOf(node), 'input-type', () => `${subject} must be ${wanted}; it is ${describe(node)}`, hint);
  return undefined;
}

function describe(node: Node): string {
  if (isList(node)) return `a list of ${node.items.length}`;
  if (isMap(node)) return isFileNode(node) ? `a ${stringField(node, 'class')}` : `a map (${firstKeys(node, 5)})`;
  if (typeof node.value === 'string')
    return `the string ${JSON.stringify(node.value.length > 60 ? `${node.value.slice(0, 57)}…` : node.value)}`;
  return node.value === null ? 'null' : `the ${typeof node.value} ${node.digits ?? String(node.value)}`;
}

function firstKeys(node: MapNode, most: number): string {
  const keys: string[] = [];
  for (const key of node.entries.keys()) if (keys.push(key) === most) break;
  return keys.join(', ');
}

/** What to write instead, for the usual mistakes. */
function hintFor(node: Node, type: CwlType | string): string | undefined {
  const members: (CwlType | string)[] = Array.isArray(type) ? type : [type];
  const file = members.find((member) => member === 'File' || member === 'Directory');
  if (file === undefined) {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
    const isNumber = text !== undefined && members.some((m) => typeof m === 'string' && ['int', 'long', 'float', 'double'].includes(m));
    return isNumber && text !== '' && Number.isFinite(Number(text)) ? 'remove the quotes' : undefined;
  }
  if (node.kind === 'scalar' && typeof node.value === 'string') return `write {class: ${file as string}, path: ${node.value}}`;
  const kind = isMap(node) ? stringField(node, 'class') : undefined;
  if (kind !== undefined && kind !== file && kind.toLowerCase() === (file as string).toLowerCase()) return `write class: ${file as string}`;
  if (isMap(node) && !node.entries.has('class') && (node.entries.has('path') || node.entries.has('location')))
    return `add class: ${file as string}`;
  return undefined;
}
