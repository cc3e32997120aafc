/**
 * File and Directory objects of a job → normal form: absolute `location`, `basename`, no `path`.
 * Source: CWL v1.2 CommandLineTool §4 "File" and "Directory".
 *
 * Invariant: pure. Whether anything is there is not looked at; see resolve-files.ts.
 */
import { canonicalUri, nameInUri, nameProblem, settleEntries, type CwlObject, type CwlValue, type Entry } from '@weft/plan';
import { field, isList, isMap, isNull, setOwn, stringField, stringOf, toJson, type MapNode, type Node } from '../source/node.js';
import { expandPrefix, resolveFileName } from '../source/uri.js';
import type { Problems } from './problems.js';

/** Recomputed wherever a file is staged; what a job says about them does not count. */
const DERIVED = new Set(['path', 'dirname', 'nameroot', 'nameext']);
const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]+:/;
/** What a `path` must look like to be taken for a URI. */
const WITH_AUTHORITY = /^[a-zA-Z][a-zA-Z0-9+.-]+:\/\//;

export function isFileNode(node: Node): boolean {
  const kind = isMap(node) ? stringField(node, 'class') : undefined;
  return kind === 'File' || kind === 'Directory';
}

/** The URI of a path: every character of it is part of a name, '#', '%' and '?' too. `base` ends with '/' where it is a directory. */
export function pathToUri(path: string, base: string): string {
  if (WITH_AUTHORITY.test(path)) return path;
  const escaped = encodeURI(path).replace(/[#?]/g, encodeURIComponent);
  return resolveFileName(/^[^/]*:/.test(escaped) ? `./${escaped}` : escaped, base);
}

/** Undefined after a problem was added. `subject` names the value in messages. */
export function normaliseFile(node: MapNode, baseUri: string, subject: string, problems: Problems): Entry | undefined {
  const value = normaliseEntry(node, baseUri, subject, problems);
  if (value === undefined) return undefined;
  const problem = settleEntries(value, { locations: false });
  if (problem === undefined) return value;
  problems.error(node, 'input-type', `${subject}: ${problem}`);
  return undefined;
}

function normaliseEntry(node: MapNode, baseUri: string, subject: string, problems: Problems): Entry | undefined {
  const kind = stringField(node, 'class') as 'File' | 'Directory';
  const value: CwlObject = {};
  for (const { key, value: member } of node.entries.values()) {
    if (!DERIVED.has(key) && !isNull(member)) setOwn(value, key, toJson(member));
  }
  const location = locationOf(node, baseUri, subject, problems);
  if (location === 'wrong') return undefined;
  if (location === undefined) delete value['location'];
  else value['location'] = location;
  if (location === undefined && !checkLiteral(node, kind, subject, problems)) return undefined;
  if (!setBasename(value, node, location, subject, problems)) return undefined;
  const format = stringField(node, 'format');
  if (format !== undefined) value['format'] = expandPrefix(format, node.file.namespaces);
  for (const key of ['secondaryFiles', 'listing']) {
    const members = field(node, key);
    if (members === undefined) continue;
    const normal = normaliseMembers(members, baseUri, `${key} of ${subject}`, problems);
    if (normal === undefined) return undefined;
    value[key] = normal;
  }
  return value as Entry;
}

function locationOf(node: MapNode, baseUri: string, subject: string, problems: Problems): string | undefined | 'wrong' {
  for (const key of ['location', 'path'] as const) {
    const member = field(node, key);
    if (member === undefined) continue;
    const written = stringOf(member);
    if (written === undefined || written === '') {
      problems.error(member, 'input-type', `${subject}: '${key}' must be a string that is not empty`);
      return 'wrong';
    }
    if (key === 'location' && written.startsWith('_:')) continue;
    // What came without an address of its own can name files by absolute path only.
    const base = baseUri === '' && written.startsWith('/') ? 'file:///' : baseUri;
    if (base === '' && !(key === 'path' ? WITH_AUTHORITY : SCHEME).test(written)) {
      problems.error(
        member,
        'input-type',
        `${subject}: '${written}' is relative, and nothing says to what`,
        'give an absolute path or a URI',
      );
      return 'wrong';
    }
    const uri = key === 'path' ? pathToUri(written, base) : locationToUri(written, base);
    const canonical = canonicalUri(uri);
    if ('uri' in canonical) return canonical.uri;
    problems.error(member, 'input-type', `${subject}: '${written}' ${canonical.problem}`);
    return 'wrong';
  }
  return undefined;
}

/** A relative `location` is a URI reference: percent escapes count; a '#' can only be part of the name. */
export function locationToUri(location: string, baseUri: string): string {
  return resolveFileName(!SCHEME.test(location) && /^[^/]*:/.test(location) ? `./${location}` : location, baseUri);
}

function checkLiteral(node: MapNode, kind: 'File' | 'Directory', subject: string, problems: Problems): boolean {
  const content = kind === 'File' ? 'contents' : 'listing';
  const given = field(node, content) ?? (kind === 'File' ? node.entries.get('contents')?.value : undefined);
  const fits = kind === 'File' ? stringOf(given) !== undefined : isList(given);
  if (!fits) problems.error(node, 'input-type', `${subject}: a ${kind} needs 'path', 'location' or '${content}'`);
  return fits;
}

function setBasename(value: CwlObject, node: MapNode, location: string | undefined, subject: string, problems: Problems): boolean {
  const given = field(node, 'basename');
  if (given === undefined) {
    if (location !== undefined) value['basename'] = nameInUri(location);
    return true;
  }
  const problem = nameProblem(stringOf(given));
  if (problem === undefined) return true;
  problems.error(given, 'input-type', `${subject}: 'basename' must be a plain name; this one ${problem}`);
  return false;
}

function normaliseMembers(node: Node, baseUri: string, subject: string, problems: Problems): CwlValue | undefined {
  if (!isList(node)) {
    problems.error(node, 'input-type', `${subject} must be a list of Files and Directories`);
    return undefined;
  }
  const members: CwlValue[] = [];
  for (const item of node.items) {
    if (!isMap(item) || !isFileNode(item)) {
      problems.error(item, 'input-type', `${subject} must be a list of Files and Directories`, 'write {class: File, path: …}');
      return undefined;
    }
    const normal = normaliseEntry(item, baseUri, subject, problems);
    if (normal === undefined) return undefined;
    members.push(normal);
  }
  return members;
}
