/**
 * One spelling for each place: the URIs of Files and Directories, whoever wrote them.
 *
 * Invariants:
 *  1. Two texts that name one place have one canonical URI; what it says is what storage does with it. Case of the scheme, `localhost`,
 *     missing and doubled slashes, backslashes, dot segments and percent escapes make no difference.
 *  2. Refused, not repaired: schemes that no storage serves, NUL and other control characters, escapes that are no UTF-8 or that hide a
 *     slash, and parts that the name of a file has not (query, fragment, user, host).
 *  3. What is longer than any place is refused first, so that whoever looks a place up may look at each directory above it.
 *  4. `canonicalUri(canonicalUri(x).uri)` changes nothing.
 */

export type CanonicalUri = { uri: string } | { problem: string };

const SERVED_SCHEMES = ['file', 's3', 'http', 'https', 'data'] as const;

/** Longer than any path (4,096 bytes, each of which may be an escape of three characters), key or address that servers take. */
const MAX_URI_LENGTH = 16_384;

/** The scheme of an absolute URI in lower case; undefined for a relative reference: `a:b` is a name, as nothing has a scheme of one letter. */
export function schemeOfUri(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
}

export function canonicalUri(text: string): CanonicalUri {
  const scheme = schemeOfUri(text);
  if (scheme === 'data')
    return text.includes(',') ? { uri: `data:${text.slice('data:'.length)}` } : { problem: 'is a data: URI without a comma' };
  if (text.length > MAX_URI_LENGTH) return { problem: `is longer than ${MAX_URI_LENGTH.toLocaleString('en')} characters` };
  // URL parsers drop tabs and new lines without a word, so that two texts would be one place to some and two to others.
  if (hasControl(text)) return { problem: 'holds a control character' };
  switch (scheme) {
    case undefined:
      return { problem: 'is no absolute URI' };
    case 'file':
      return canonicalFile(text);
    case 's3':
      return canonicalS3(text);
    case 'http':
    case 'https':
      return canonicalHttp(text);
    default:
      return { problem: `has the scheme ${scheme}:, which is not served here; ${SERVED_SCHEMES.join(':, ')}: are` };
  }
}

/** The decoded path of a canonical file: URI. */
export function pathOfFileUri(uri: string): string | undefined {
  const canonical = canonicalUri(uri);
  if (!('uri' in canonical) || !canonical.uri.startsWith('file://')) return undefined;
  return decodeURIComponent(canonical.uri.slice('file://'.length));
}

/** What follows a directory in a URI: '' for itself, else '/' and the rest; undefined where it is not below it. Both canonical. */
export function belowUri(uri: string, directory: string): string | undefined {
  const base = withoutEndSlashes(directory);
  if (withoutEndSlashes(uri) === base) return '';
  if (!uri.startsWith(`${base}/`)) return undefined;
  const below = uri.slice(base.length);
  // Elsewhere than in file systems these could still lead up, or to something that has another name.
  return /[?#\\]|%2f|%5c/i.test(below) && !uri.startsWith('file:') ? undefined : below;
}

/** The last name in a URI's path, decoded; '' where it has none. */
export function nameInUri(uri: string): string {
  const path = uri.replace(/^[a-z][a-z0-9+.-]+:(\/\/[^/]*)?/i, '');
  const mark = path.search(/[?#]/);
  const name = lastNameOf(mark < 0 ? path : path.slice(0, mark));
  try {
    return decodeURIComponent(name);
  } catch {
    // A '%' that nobody escaped is part of the name.
    return name;
  }
}

/** What follows the last slash but those at the end. */
export function lastNameOf(path: string): string {
  const plain = withoutEndSlashes(path);
  return plain.slice(plain.lastIndexOf('/') + 1);
}

/** In time that grows with the text, which an expression that looks for slashes before an end does not keep to. */
export function withoutEndSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}

/** Path → the part of a URI that says it; what needs no escape has none. */
export function encodeUriPath(path: string): string {
  return path
    .split('/')
    .map((part) =>
      encodeURIComponent(part).replace(/%(3A|40|2B|2C|3D|26|24|3B)/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    )
    .join('/');
}

/** Is canonical as it stands. Most are, and each File of each task is looked at, which a parser takes many times as long for. */
const PLAIN_FILE = /^file:\/\/(?:\/(?!\.{1,2}(?:\/|$))[\w.~@+,=-]+)+\/?$/;

function canonicalFile(text: string): CanonicalUri {
  if (PLAIN_FILE.test(text)) return { uri: text };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { problem: 'cannot be parsed' };
  }
  if (url.host !== '') return { problem: `names a file of another host, ${url.host}` };
  // An empty one is not in `search` and `hash`.
  if (/[?#]/.test(text)) return { problem: "has a query or a fragment: '#' and '?' in a name are written %23 and %3F" };
  return recoded(url.pathname.replace(/\/{2,}/g, '/'), (path) => `file://${path}`);
}

function canonicalS3(text: string): CanonicalUri {
  const match = /^s3:\/\/([^/?#@\\]+)(\/[^?#]*)?$/i.exec(text);
  if (match === null) return { problem: "is no s3://bucket/key, with '#' and '?' in a key written %23 and %3F" };
  const [, bucket = '', key = ''] = match;
  return recoded(key, (path) => `s3://${bucket}${path}`);
}

/** What a server makes of a path, escapes included, is its own business. */
function canonicalHttp(text: string): CanonicalUri {
  try {
    return { uri: new URL(text).href };
  } catch {
    return { problem: 'cannot be parsed' };
  }
}

function recoded(path: string, uriOf: (path: string) => string): CanonicalUri {
  const names: string[] = [];
  for (const part of path.split('/')) {
    let name: string;
    try {
      name = decodeURIComponent(part);
    } catch {
      return { problem: "is wrongly percent-encoded: a '%' in a name is written %25" };
    }
    if (name.includes('/')) return { problem: 'hides a "/" in a name' };
    if (name === '.' || name === '..') return { problem: `has the name "${name}" in its path` };
    if (name.includes('\0')) return { problem: 'holds a NUL' };
    names.push(name);
  }
  return { uri: uriOf(encodeUriPath(names.join('/'))) };
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
