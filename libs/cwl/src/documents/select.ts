/** Finding processes in documents: by fragment, by `run`, and what class and version they declare. */
import type { Reporter } from '../diagnostics.js';
import { didYouMean, nearestName } from '../source/nearest-name.js';
import { field, fieldPlace, isFailed, isList, isMap, startOf, stringOf, type MapNode, type Node, type Place } from '../source/node.js';
import { expandPrefix, splitFragment } from '../source/uri.js';
import { describe } from '../check/validate.js';
import { parseVersion, VERSIONS, type Version } from '../source/version.js';
import type { DocumentStore, LoadedDocument } from './document-store.js';

/** cwltool's own → what does it here. */
const INSTEAD: Readonly<Record<string, string>> = {
  'http://commonwl.org/cwltool#ProcessGenerator':
    "run its tool alone, then the document that it wrote: two commands, of which the second takes the first one's output",
};
const CLASSES = ['CommandLineTool', 'ExpressionTool', 'Workflow', 'Operation'];

export interface Target {
  document: LoadedDocument;
  node: MapNode;
  /** Absent where the process is the whole document. */
  fragment?: string;
}

/** The process that `fragment` names in a document; without a fragment `main`, or the only one there is. */
export function selectProcess(
  document: LoadedDocument,
  fragment: string | undefined,
  at: Place,
  store: DocumentStore,
  reporter: Reporter,
): Target | undefined {
  const { root } = document;
  if (document.isGraph || isList(root)) {
    const names = [...document.fragments.keys()];
    const wanted = fragment ?? (names.length === 1 ? names[0] : 'main') ?? 'main';
    const node = store.fragment(document, wanted, at);
    return node && { document, node, fragment: wanted };
  }
  if (!isMap(root)) {
    if (isFailed(root)) return undefined;
    reporter.error(root, 'wrong-type', `a CWL document must be a mapping, not ${describe(root)}`);
    return undefined;
  }
  if (fragment === undefined || document.fragments.has(fragment) || (fragment === 'main' && document.fragments.size === 0))
    return { document, node: root };
  const node = store.fragment(document, fragment, at);
  return node && { document, node, fragment };
}

/** The process behind a `run: address` whose document has been loaded. Undefined where that failed and was reported. */
export function resolveRun(run: Node, store: DocumentStore, reporter: Reporter): Target | undefined {
  const text = stringOf(run);
  const uri = text === undefined ? undefined : store.resolve(expandPrefix(text, run.file.namespaces), run);
  const document = uri === undefined ? undefined : store.loaded(uri);
  return document && uri !== undefined ? selectProcess(document, splitFragment(uri).fragment, run, store, reporter) : undefined;
}

/** The class of a process, taking a misspelt one for the nearest after reporting it. */
export function processClass(node: MapNode, reporter: Reporter): string | undefined {
  const written = field(node, 'class');
  const text = stringOf(written)?.replace(/^cwl:/, '');
  if (text !== undefined && CLASSES.includes(text)) return text;
  if (text === undefined) {
    const place = written === undefined ? startOf(node) : fieldPlace(node, 'class');
    const message = written === undefined ? "a process needs the field 'class'" : `'class' must be a string, not ${describe(written)}`;
    reporter.error(place, written === undefined ? 'missing-field' : 'wrong-type', `${message}: ${CLASSES.join(', ')}`);
    return undefined;
  }
  const hint = INSTEAD[expandPrefix(text, node.file.namespaces)] ?? didYouMean(text, CLASSES);
  reporter.error(written ?? node, 'unknown-class', `there is no process class '${text}'`, hint);
  return nearestName(text, CLASSES);
}

/** The version in effect for a process: its own, its document's, else that of what runs it. Undefined, after saying so, where it is none of ours. */
export function versionOf(
  node: MapNode,
  document: LoadedDocument | undefined,
  inherited: Version,
  reporter: Reporter,
): Version | undefined {
  const own = field(node, 'cwlVersion');
  const declared = stringOf(own) ?? document?.version?.text;
  if (declared === undefined) return inherited;
  const version = parseVersion(declared);
  if (version !== undefined) return version;
  const place = own ?? document?.version?.place ?? node;
  reporter.error(
    place,
    'unsupported-version',
    `CWL version '${declared}' is not supported; ${VERSIONS.join(', ')} are`,
    /^(cwl:)?draft-3/.test(declared) ? 'cwl-upgrader, from PyPI, writes draft-3 documents anew as v1.2' : didYouMean(declared, VERSIONS),
  );
  return undefined;
}

/** Loads every document that the process runs, directly or not. */
export async function collectRuns(root: MapNode, store: DocumentStore, reporter: Reporter): Promise<void> {
  const seen = new Set<MapNode>();
  const open: MapNode[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const run of runsOf(node)) {
      const target = isMap(run) ? run : await loadRun(run, store, reporter);
      if (target) open.push(target);
    }
  }
}

/** Every `run: address` in a process, also in those that its steps hold. */
export function referencesOf(node: MapNode): (Place & { reference: string })[] {
  return runsOf(node).flatMap((run) => {
    if (isMap(run)) return referencesOf(run);
    const text = stringOf(run);
    return text === undefined
      ? []
      : [{ file: run.file, start: run.start, end: run.end, reference: expandPrefix(text, run.file.namespaces) }];
  });
}

function runsOf(node: MapNode): Node[] {
  const steps = field(node, 'steps');
  const items = isList(steps) ? steps.items : isMap(steps) ? [...steps.entries.values()].map((e) => e.value) : [];
  return items.flatMap((step) => (isMap(step) ? (field(step, 'run') ?? []) : []));
}

async function loadRun(run: Node, store: DocumentStore, reporter: Reporter): Promise<MapNode | undefined> {
  const text = stringOf(run);
  const uri = text === undefined ? undefined : store.resolve(expandPrefix(text, run.file.namespaces), run);
  if (uri === undefined || (await store.load(uri, run)) === undefined) return undefined;
  return resolveRun(run, store, reporter)?.node;
}
