/**
 * URIs of documents: resolving, splitting, shortening. Pure text; `weft:` is the scheme of documents that have no address of their own.
 */
const WEFT = 'weft:';

/** `reference` made absolute against `base`. Throws an Error when that is impossible (relative reference, opaque base). */
export function resolveUri(reference: string, base: string): string {
  if (reference.startsWith('#')) return splitFragment(base).uri + reference;
  if (/^[a-zA-Z][a-zA-Z0-9+.-]+:/.test(reference)) return reference;
  if (base.startsWith(WEFT))
    return WEFT + new URL(escapeReference(reference), `http://d/${base.slice(WEFT.length)}`).href.slice('http://d/'.length);
  try {
    return new URL(escapeReference(reference), base).href;
  } catch {
    throw new Error(`'${reference}' is relative, and '${base}' is not an address it could be relative to`);
  }
}

/** Authors write file names, not percent-encoded URIs: what a URL parser would take for a query or a bad escape is part of the name. */
function escapeReference(reference: string): string {
  const { uri, fragment } = splitFragment(reference);
  const path = uri.replace(/%(?![0-9a-fA-F]{2})/g, '%25').replace(/\?/g, '%3F');
  return fragment === undefined ? path : `${path}#${fragment}`;
}

/** A file name, not a reference: '#' and '%' belong to the name too. Used for `path` and for plain `location`s of Files. */
export function resolveFileName(name: string, base: string): string {
  if (/^[a-zA-Z][a-zA-Z0-9+.-]+:/.test(name)) return name;
  return resolveUri(name.replace(/%(?![0-9a-fA-F]{2})/g, '%25').replace(/#/g, '%23'), base);
}

export function splitFragment(uri: string): { uri: string; fragment?: string } {
  const at = uri.indexOf('#');
  return at < 0 ? { uri } : { uri: uri.slice(0, at), fragment: uri.slice(at + 1) };
}

/** What follows the last '#' or '/'. */
export function shortName(id: string): string {
  return id.slice(Math.max(id.lastIndexOf('#'), id.lastIndexOf('/')) + 1);
}

/** The fragment that an `id` declares: what follows '#', or all of it. */
export function fragmentOf(id: string): string {
  const at = id.indexOf('#');
  return at < 0 ? id : id.slice(at + 1);
}

/** `uri` as seen from the directory of `root`; unchanged when they share no authority. Gives ids that do not name the machine. */
export function relativeUri(uri: string, root: string): string {
  const [, prefix, rootPath] = /^([a-z][a-z0-9+.-]*:(?:\/\/[^/]*)?)(.*)$/i.exec(root) ?? [];
  if (prefix === undefined || rootPath === undefined || !uri.startsWith(prefix)) return uri;
  const from = rootPath.split('/').slice(0, -1);
  const to = uri.slice(prefix.length).split('/');
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared += 1;
  return [...from.slice(shared).map(() => '..'), ...to.slice(shared)].join('/');
}

/** `prefix:name` written out with the declared namespaces; anything else as it is. */
export function expandPrefix(name: string, namespaces: Readonly<Record<string, string>>): string {
  const at = name.indexOf(':');
  if (at <= 0) return name;
  const namespace = namespaces[name.slice(0, at)];
  return namespace === undefined ? name : namespace + name.slice(at + 1);
}

/** True for text that holds a CWL expression or parameter reference. */
export function isExpression(text: string): boolean {
  return text.includes('$(') || text.includes('${');
}
