/** A job file with what it imports: `$import`, `$include` and `$mixin` resolved, relative to the file they are written in. */
import type { CwlObject } from '@weft/plan';
import type { Fetcher } from '../api.js';
import { Reporter } from '../diagnostics.js';
import { resolveDirectives } from '../documents/directives.js';
import { DocumentStore } from '../documents/document-store.js';
import { isList, isMap, mapNode, scalarNode, stringField, toJson, type MapNode, type Node } from '../source/node.js';
import { isFileNode, locationToUri, pathToUri } from './file-values.js';
import { parseJob, type ParsedJob } from './job.js';

/** Never rejects: what cannot be read is a diagnostic. Files in imported parts have absolute locations in `value` and `root`. */
export async function readJob(uri: string, fetcher: Fetcher): Promise<ParsedJob> {
  const reporter = new Reporter();
  const store = new DocumentStore(fetcher, reporter);
  const read = await store.read(uri);
  if ('error' in read) {
    reporter.error({ file: { uri, text: '', namespaces: {} }, start: -1, end: -1 }, 'cannot-read', read.error);
    return { uri, diagnostics: reporter.diagnostics() };
  }
  const job = parseJob(read.text, uri);
  if (job.root === undefined) return job;
  const written = store.bounded(await resolveDirectives(job.root, store, [uri]), job.root);
  const resolved = written && anchored(written);
  const diagnostics = [...job.diagnostics, ...reporter.diagnostics()];
  if (diagnostics.some((d) => d.severity === 'error')) return { uri, diagnostics };
  if (resolved === undefined || !isMap(resolved)) {
    reporter.error(job.root, 'wrong-type', 'a job maps the names of inputs to values; what it imports does not');
    return { uri, diagnostics: [...job.diagnostics, ...reporter.diagnostics()] };
  }
  return { uri, value: toJson(resolved) as CwlObject, root: resolved, diagnostics };
}

/** Files that were written in another file than the job refer to that file. */
function anchored(node: Node): Node {
  if (isList(node)) return { ...node, items: node.items.map(anchored) };
  if (!isMap(node)) return node;
  const entries = new Map([...node.entries].map(([key, entry]) => [key, { ...entry, value: anchored(entry.value) }]));
  const copy: MapNode = { ...node, entries };
  if (!isFileNode(node) || node.file.fetched !== true) return copy;
  const [location, path] = [stringField(node, 'location'), stringField(node, 'path')];
  if (location === undefined && path === undefined) return copy;
  const address = location === undefined ? pathToUri(path ?? '', node.file.uri) : locationToUri(location, node.file.uri);
  const rest = [...entries.values()].filter(({ key }) => key !== 'path' && key !== 'location');
  return mapNode(node, [
    ...rest.map((e): [string, Node, typeof e.place] => [e.key, e.value, e.place]),
    ['location', scalarNode(node, address)],
  ]);
}
