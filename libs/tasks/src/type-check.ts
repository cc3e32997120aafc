/**
 * Does a value have a CWL type? Answers in words that name the place inside the value.
 * Source: CWL v1.2 CommandLineTool §4, "Data model". A missing record field counts as null.
 */
import type { CwlType, CwlValue } from '@weft/plan';
import { isDirectory, isFile, isFileOrDirectory, isLong, isObject } from '@weft/plan';
import { brief } from './scope.js';

/** Source: CWL v1.2 CommandLineTool §4.1 "CWLType": an int has 32 bits, a long 64. */
const INT = 2 ** 31;

/** As `mismatch` says, without a word: unions ask it of each member. */
export function matchesType(type: CwlType, value: CwlValue | undefined): boolean {
  const actual = value ?? null;
  if (Array.isArray(type)) return type.some((member) => matchesType(member, actual));
  if (typeof type === 'string') return matchesPrimitive(type, actual);
  switch (type.type) {
    case 'array':
      return Array.isArray(actual) && actual.every((item) => matchesType(type.items, item));
    case 'record':
      return isObject(actual) && !isFileOrDirectory(actual) && type.fields.every((field) => matchesType(field.type, actual[field.name]));
    case 'enum':
      return typeof actual === 'string' && type.symbols.includes(actual);
  }
}

/** Undefined where the value has the type; else what is wrong, starting with `where`. */
export function mismatch(type: CwlType, value: CwlValue | undefined, where: string): string | undefined {
  const actual = value ?? null;
  if (Array.isArray(type)) return mismatchUnion(type, actual, where);
  if (typeof type === 'string')
    return matchesPrimitive(type, actual) ? undefined : `${where} should be ${typeName(type)}, got ${valueKind(actual)}`;
  switch (type.type) {
    case 'array': {
      if (!Array.isArray(actual)) return `${where} should be ${typeName(type)}, got ${valueKind(actual)}`;
      for (const [index, item] of actual.entries()) {
        const wrong = mismatch(type.items, item, `${where}[${index}]`);
        if (wrong !== undefined) return wrong;
      }
      return undefined;
    }
    case 'record': {
      if (!isObject(actual) || isFileOrDirectory(actual)) return `${where} should be ${typeName(type)}, got ${valueKind(actual)}`;
      for (const field of type.fields) {
        const wrong = mismatch(field.type, actual[field.name], `${where}.${field.name}`);
        if (wrong !== undefined) return wrong;
      }
      return undefined;
    }
    case 'enum':
      return typeof actual === 'string' && type.symbols.includes(actual)
        ? undefined
        : `${where} should be ${typeName(type)}, got ${valueKind(actual)}`;
  }
}

/**
 * As `mismatch`, for outputs: an output of type Any may be null, where an input may not. The specification says "Any" is any non-null
 * value; the conformance suite has tools whose Any output is null, and so has the reference implementation.
 */
export function outputMismatch(type: CwlType, value: CwlValue | undefined, where: string): string | undefined {
  return type === 'Any' && value === null ? undefined : mismatch(type, value, where);
}

function mismatchUnion(types: CwlType[], value: CwlValue, where: string): string | undefined {
  if (types.some((type) => matchesType(type, value))) return undefined;
  // Where only one member is of the value's own shape, its complaint says more than the list of members does.
  const likely = types.filter((type) => typeof type === 'object' && !Array.isArray(type) && sameShape(type.type, value));
  const [only] = likely;
  if (likely.length === 1 && only !== undefined) return mismatch(only, value, where);
  return `${where} should be ${typeName(types)}, got ${valueKind(value)}`;
}

function sameShape(kind: 'array' | 'record' | 'enum', value: CwlValue): boolean {
  return kind === 'array' ? Array.isArray(value) : kind === 'record' && isObject(value) && !isFileOrDirectory(value);
}

function matchesPrimitive(type: string, value: CwlValue): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'number' && Number.isInteger(value) && value >= -INT && value < INT;
    case 'long':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value) && isLong(value));
    case 'float':
    case 'double':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'string':
      return typeof value === 'string';
    case 'File':
      return isFile(value);
    case 'Directory':
      return isDirectory(value);
    case 'Any':
      return value !== null;
    default:
      return false;
  }
}

/** A type as an author would write it. */
export function typeName(type: CwlType): string {
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return type.map(typeName).join(' or ');
  if (type.type === 'array') {
    const items = typeName(type.items);
    return items.includes(' ') ? `(${items})[]` : `${items}[]`;
  }
  if (type.type === 'enum') return `one of ${type.symbols.join(', ')}`;
  return `record {${type.fields.map((field) => field.name).join(', ')}}`;
}

function valueKind(value: CwlValue): string {
  if (value === null) return 'null';
  if (isFile(value)) return `a File (${value.basename ?? value.location ?? 'literal'})`;
  if (isDirectory(value)) return `a Directory (${value.basename ?? value.location ?? 'literal'})`;
  return brief(value);
}

/** The member of a type that a value belongs to; a type that is no union is its own member. Undefined: none fits. */
export function memberFor(type: CwlType, value: CwlValue): Exclude<CwlType, CwlType[]> | undefined {
  if (!Array.isArray(type)) return type;
  for (const option of type) {
    if (matchesType(option, value)) return memberFor(option, value);
  }
  return undefined;
}

export interface Admits {
  nothing: boolean;
  single: boolean;
  list: boolean;
}

/** Whether null, one File or Directory, or a list may stand for a type. */
export function admits(type: CwlType): Admits {
  const found: Admits = { nothing: false, single: false, list: false };
  for (const option of Array.isArray(type) ? type : [type]) {
    if (Array.isArray(option)) {
      const inner = admits(option);
      found.nothing ||= inner.nothing;
      found.single ||= inner.single;
      found.list ||= inner.list;
    } else if (option === 'null') found.nothing = true;
    else if (option === 'File' || option === 'Directory') found.single = true;
    else if (option === 'Any' || (typeof option === 'object' && option.type === 'array')) found.list = true;
  }
  return found;
}
