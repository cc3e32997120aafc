/**
 * What a parser of JSON does not say, told before it is asked: how deep the text nests (what reads the value afterwards recurses, and must not
 * overflow), and which key of one object stands there twice (of the two values one would be dropped without a word).
 */

/** As deep as a document may be, and what a body wraps around it. */
export const MAX_JSON_DEPTH = 210;

export interface JsonFault {
  kind: 'depth' | 'duplicate';
  /** The key that stands there twice. */
  key?: string;
}

/** One look at each character; text that is no JSON gets any answer. */
export function faultOf(json: string, maxDepth = MAX_JSON_DEPTH): JsonFault | undefined {
  /** Of each object and array that is open: the keys so far; null: an array. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '"') {
      const end = endOfString(json, at);
      const keys = open.at(-1);
      if (keys && isKey(json, end)) {
        const key = decoded(json.slice(at, end + 1));
        if (keys.has(key)) return { kind: 'duplicate', key };
        keys.add(key);
      }
      at = end;
    } else if (char === '[' || char === '{') {
      open.push(char === '{' ? new Set() : null);
      if (open.length > maxDepth) return { kind: 'depth' };
    } else if (char === ']' || char === '}') open.pop();
  }
  return undefined;
}

/** A string of an object is a key where a colon follows it. */
function isKey(json: string, end: number): boolean {
  let next = end + 1;
  while (json[next] === ' ' || json[next] === '\n' || json[next] === '\r' || json[next] === '\t') next += 1;
  return json[next] === ':';
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

/** Where the string that begins at `from` ends. */
function endOfString(json: string, from: number): number {
  for (let end = json.indexOf('"', from + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return json.length;
}
