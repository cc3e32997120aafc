/**
 * One self-contained document out of a document and all that it runs, imports and includes.
 *
 * Invariants:
 *  1. Loading what was packed gives the plan of the original but for the keys of its processes and where things were written.
 *  2. Nothing is upgraded: the document keeps its version; a process of another version says so itself.
 *  3. Only documents that load are packed.
 */
import { isObject, type CwlObject, type FormatOntology } from '@weft/plan';
import type { Diagnostic, Fetcher } from '../api.js';
import { Reporter } from '../diagnostics.js';
import { DocumentStore } from '../documents/document-store.js';
import { collectRuns, selectProcess, type Target } from '../documents/select.js';
import { bundleFetcher } from '../fetchers.js';
import { collectBundle } from '../load.js';
import { splitFragment } from '../source/uri.js';
import { toDataUri } from './data-uri.js';
import { ProcessPacker } from './process-packer.js';

export interface PackOptions {
  /** How the packed document names a file or directory at an absolute address. Default: by that address. */
  fileReference?(location: string): string;
}

export interface PackResult {
  /** Absent where the document does not load. */
  document?: CwlObject;
  diagnostics: Diagnostic[];
  unsupported: boolean;
}

const SUBCLASS_OF = 'http://www.w3.org/2000/01/rdf-schema#subClassOf';

/** `rootUri` as for `loadDocument`. */
export async function packDocument(rootUri: string, fetcher: Fetcher, options: PackOptions = {}): Promise<PackResult> {
  const { bundle, result } = await collectBundle(rootUri, fetcher, { isPart: true });
  const { plan, diagnostics, unsupported } = result;
  if (plan === undefined) return { diagnostics, unsupported };
  const reporter = new Reporter();
  const store = new DocumentStore(bundleFetcher(bundle.files), reporter);
  const root = await rootOf(rootUri, store, reporter);
  const packer = new ProcessPacker(store, reporter, options.fileReference ?? ((location) => location));
  const { version, graph } = packer.pack(root);
  const document: CwlObject = { cwlVersion: version };
  if (Object.keys(packer.namespaces).length > 0) document['$namespaces'] = { ...packer.namespaces };
  if (plan.formats !== undefined) document['$schemas'] = [toDataUri('text/turtle', turtle(plan.formats))];
  document['$graph'] = graph;
  return { document, diagnostics, unsupported };
}

async function rootOf(rootUri: string, store: DocumentStore, reporter: Reporter): Promise<Target> {
  const { uri, fragment } = splitFragment(rootUri);
  const document = await store.load(uri, undefined);
  const nowhere = { file: { uri, text: '', namespaces: {} }, start: -1, end: -1 };
  const target = document && selectProcess(document, fragment === '' ? undefined : fragment, nowhere, store, reporter);
  if (target === undefined) throw new Error(`${rootUri} loaded once but not twice`);
  await collectRuns(target.node, store, reporter);
  return target;
}

/** Of all that `$schemas` declare, what the formats of this document depend on. */
function turtle(formats: FormatOntology): string {
  const lines = Object.entries(formats).flatMap(([iri, parents]) => parents.map((parent) => `<${iri}> <${SUBCLASS_OF}> <${parent}> .`));
  return `${lines.join('\n')}\n`;
}

/** The versions in a packed document, the root's first. */
export function versionsIn(document: CwlObject): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isObject(value)) {
      const version = value['cwlVersion'];
      if (typeof version === 'string') found.add(version);
      for (const key of ['$graph', 'steps', 'run']) visit(value[key]);
      if (isObject(value['steps'])) Object.values(value['steps']).forEach(visit);
    }
  };
  visit(document);
  return [...found];
}
