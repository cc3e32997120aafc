/**
 * Whether an output object is what a conformance test expects, by the rules of the ecosystem's reference test runner. Pure.
 *
 *  1. "Any" matches anything; an absent member and null are equal; numbers are compared as numbers.
 *  2. A File or Directory is compared by the members the test names; others are ignored. `location` and `path` match where they are
 *     equal or end in "/" and the expected name.
 *  3. A Directory must have every entry the test lists, in any order.
 *  4. Any other object must have the expected members and no others that are not null.
 */
import { type CwlObject, type CwlValue, isObject, withoutEndSlashes, writeJson } from '@weft/plan';

/** What does not match: where (`out[0].checksum`), and what was expected and found. Undefined: it matches. */
export function mismatch(expected: CwlValue | undefined, actual: CwlValue | undefined, at = 'output'): string | undefined {
  if (expected === 'Any') return undefined;
  if (isNothing(expected) && isNothing(actual)) return undefined;
  if (Array.isArray(expected)) return compareArrays(expected, actual, at);
  if (isObject(expected)) return isObject(actual) ? compareObjects(expected, actual, at) : differs(at, expected, actual);
  return expected === actual ? undefined : differs(at, expected, actual);
}

function isNothing(value: CwlValue | undefined): boolean {
  return value === undefined || value === null;
}

function differs(at: string, expected: CwlValue | undefined, actual: CwlValue | undefined): string {
  return `${at}: expected ${shorten(expected)}, got ${shorten(actual)}`;
}

function shorten(value: CwlValue | undefined): string {
  const text = writeJson(value ?? null);
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`;
}

function compareArrays(expected: CwlValue[], actual: CwlValue | undefined, at: string): string | undefined {
  if (!Array.isArray(actual)) return differs(at, expected, actual);
  if (expected.length !== actual.length) return `${at}: expected ${expected.length} items, got ${actual.length}: ${shorten(actual)}`;
  return first(expected, (item, index) => mismatch(item, actual[index], `${at}[${index}]`));
}

function compareObjects(expected: CwlObject, actual: CwlObject, at: string): string | undefined {
  if (expected['class'] === 'File') return compareFiles(expected, actual, at);
  if (expected['class'] === 'Directory') return compareDirectories(expected, actual, at);
  const missing = first(Object.keys(expected), (key) => mismatch(expected[key], actual[key], `${at}.${key}`));
  if (missing !== undefined) return missing;
  const surplus = Object.keys(actual).find((key) => !Object.hasOwn(expected, key) && !isNothing(actual[key]));
  return surplus === undefined ? undefined : `${at}.${surplus}: not expected, got ${shorten(actual[surplus])}`;
}

function compareFiles(expected: CwlObject, actual: CwlObject, at: string): string | undefined {
  const where = comparePlaces(expected, actual, at);
  if (where !== undefined) return where;
  const keys = Object.keys(expected).filter((key) => !['location', 'path', 'listing'].includes(key));
  return first(keys, (key) => mismatch(expected[key], actual[key], `${at}.${key}`));
}

function compareDirectories(expected: CwlObject, actual: CwlObject, at: string): string | undefined {
  if (actual['class'] !== 'Directory') return differs(`${at}.class`, 'Directory', actual['class']);
  const wanted = expected['listing'];
  if (Array.isArray(wanted)) {
    const listing = actual['listing'];
    if (!Array.isArray(listing)) return `${at}.listing: expected a listing, got ${shorten(listing)}`;
    const absent = wanted.find((item) => !listing.some((entry) => mismatch(item, entry) === undefined));
    if (absent !== undefined) return `${at}.listing: ${shorten(absent)} is not in ${shorten(listing)}`;
  }
  return compareFiles(expected, actual, at);
}

function comparePlaces(expected: CwlObject, actual: CwlObject, at: string): string | undefined {
  const key = expected['path'] !== undefined ? 'path' : 'location';
  const wanted = expected[key];
  if (typeof wanted !== 'string' || wanted === 'Any') return undefined;
  const found = actual[key] ?? actual['location'];
  if (typeof found !== 'string') return differs(`${at}.${key}`, wanted, found);
  const plain = actual['class'] === 'Directory' ? withoutEndSlashes(found) : found;
  if (plain === wanted || plain.endsWith(`/${wanted}`)) return undefined;
  return `${at}.${key}: ${plain} does not end in /${wanted}`;
}

function first<T>(items: T[], check: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const problem = check(item, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
