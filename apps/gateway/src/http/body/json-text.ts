/**
 * What a parser of JSON does not say, told before it is asked: how deep the text nests (what reads the value afterwards recurses, and must not
 * overflow), which key of one object stands there twice (of the two values one would be dropped without a word), how many values there are (of
 * some, making them takes long), and where the members of the outermost object stand.
 */

/** As deep as a document may be, and what a body wraps around it. */
export const MAX_JSON_DEPTH = 210;

export interface JsonFault {
  kind: 'depth' | 'duplicate' | 'values';
  /** The key that stands there twice. */
  key?: string;
}

export interface Member {
  key: string;
  /** Where its value is, after its colon and with the blanks around it: from … to in the text. */
  from: number;
  to: number;
  /** Objects, lists and scalars of it, with itself. */
  values: number;
}

export interface ScanLimits {
  depth: number;
  values: number;
}

/** Of text that is no JSON `fault` and `members` are anything. */
export interface Scanned {
  fault?: JsonFault;
  /** Of the outermost object, in their order; none where it is no object. */
  members: Member[];
  values: number;
}

/** One look at each character. */
export function scanJson(json: string, limits: ScanLimits): Scanned {
  /** Of each object and array that is open: the keys so far; null: an array. */
  const open: (Set<string> | null)[] = [];
  const members: Member[] = [];
  let values = 0;
  /** The member of the outermost object that is being read; its `values` are those before it. */
  let member: Member | undefined;
  const endMember = (to: number): void => {
    if (open.length !== 1 || member === undefined) return;
    members.push({ ...member, to, values: values - member.values });
    member = undefined;
  };
  const found = (fault?: JsonFault): Scanned => ({ ...(fault && { fault }), members, values });
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at);
    const isOpening = char === LIST || char === OBJECT;
    if (isBlank(char) || char === COLON) continue;
    if (char === COMMA) endMember(at);
    else if (char === LIST_END || char === OBJECT_END) {
      endMember(at);
      open.pop();
    } else if (char === QUOTE) {
      const end = endOfString(json, at);
      const keys = open.at(-1);
      const colon = keys ? colonAfter(json, end) : -1;
      if (keys && colon >= 0) {
        const key = decoded(json.slice(at, end + 1));
        if (keys.has(key)) return found({ kind: 'duplicate', key });
        keys.add(key);
        if (open.length === 1) member = { key, from: colon + 1, to: json.length, values };
      } else values += 1;
      at = end;
    } else {
      values += 1;
      if (isOpening) open.push(char === OBJECT ? new Set() : null);
      else at = endOfWord(json, at);
      if (open.length > limits.depth) return found({ kind: 'depth' });
    }
    if (values > limits.values) return found({ kind: 'values' });
  }
  return found();
}

const SPACE = 0x20;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const LIST = 0x5b;
const LIST_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

function isBlank(char: number): boolean {
  return char === SPACE || char === LINE_FEED || char === RETURN || char === TAB;
}

/** A string of an object is a key where a colon follows it: that colon's place, or -1. */
function colonAfter(json: string, end: number): number {
  let next = end + 1;
  while (isBlank(json.charCodeAt(next))) next += 1;
  return json.charCodeAt(next) === COLON ? next : -1;
}

/** Keys that are written differently may be the same. */
function decoded(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}

/**
 * Where the string that begins at `from` ends. Character by character: a search for the quote, which is faster, V8 (Node 20) also does where it has none
 * of these to do, once it has merged two of them, and the whole scan takes time with the square of the text.
 */
function endOfString(json: string, from: number): number {
  for (let at = from + 1; at < json.length; at += 1) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) return at;
    if (char === BACKSLASH) at += 1;
  }
  return json.length;
}

/** The last character of a number or a name. */
function endOfWord(json: string, from: number): number {
  let at = from;
  for (let next = json.charCodeAt(at + 1); at + 1 < json.length && !isSign(next); next = json.charCodeAt(at + 1)) at += 1;
  return at;
}

function isSign(char: number): boolean {
  return isBlank(char) || char === COMMA || char === COLON || char === LIST_END || char === OBJECT_END || char === QUOTE;
}
