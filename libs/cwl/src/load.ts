/**
 * The way of a document: fetch → parse → directives → select → check and build (upgrade and desugar on the way) → link checks → plan.
 * Mistakes of the author become diagnostics, all in one pass; only a defect of this library throws.
 */
import type { FormatOntology, Plan, Process, Requirement } from '@weft/plan';
import type { Fetcher, LoadResult } from './api.js';
import { ProcessBuilder } from './build/process.js';
import { Reporter } from './diagnostics.js';
import { DocumentStore, type LoadedDocument } from './documents/document-store.js';
import { pruneOntology, readOntology } from './documents/formats.js';
import { collectRuns, referencesOf, selectProcess, type Target } from './documents/select.js';
import { recordingFetcher, type DocumentBundle } from './fetchers.js';
import { checkLinks } from './link/check-links.js';
import { applyOverrides } from './overrides.js';
import { selectPart, type DocumentPart } from './select-part.js';
import { planHash } from './plan-hash.js';
import { field, isMap, startOf, stringsOf, type Node, type Place } from './source/node.js';
import { isExpression, splitFragment } from './source/uri.js';

export interface LoadOptions {
  /** Requirements that the document will run under besides its own (`cwl:requirements` of a job): they may allow what it does not ask for. */
  requirements?: readonly Requirement[];
  /** What holds `cwltool:overrides` in a job or in a file of their own (overridesOfJob); the last count. */
  overrides?: readonly Node[];
  /** What of the document is run; all, where it is absent. */
  part?: DocumentPart;
  /** It is looked at and not run: what it may inherit from a workflow that runs it is no error. */
  isPart?: boolean;
}

/** `rootUri`: absolute (`file:`, `http:`, `https:`, or `weft:document.cwl` for text without an address), with an optional `#process`. */
export async function loadDocument(rootUri: string, fetcher: Fetcher, options: LoadOptions = {}): Promise<LoadResult> {
  const reporter = new Reporter();
  const store = new DocumentStore(fetcher, reporter);
  const whole = await makePlan(rootUri, store, reporter, options);
  const plan = whole && options.part && !reporter.hasErrors ? partOf(whole, options.part, store.loaded(rootUri), reporter) : whole;
  const diagnostics = reporter.diagnostics();
  if (reporter.hasErrors || whole === undefined || plan === undefined) return { diagnostics, unsupported: reporter.isUnsupported };
  const namespaces = store.loaded(rootUri)?.file.namespaces ?? {};
  const declared = Object.keys(namespaces).length > 0 ? { namespaces } : {};
  const leftOut = options.part?.targets.length ? { leftOut: missingInputs(whole, plan) } : {};
  return { plan, hash: planHash(plan), ...declared, ...leftOut, diagnostics, unsupported: false };
}

function partOf(whole: Plan, part: DocumentPart, document: LoadedDocument | undefined, reporter: Reporter): Plan | undefined {
  const selected = selectPart(whole, part);
  if (typeof selected !== 'string') return selected;
  if (document !== undefined) reporter.error(startOfDocument(document), 'unknown-part', selected);
  return undefined;
}

function missingInputs(whole: Plan, part: Plan): string[] {
  const kept = new Set(part.processes[part.root]?.inputs.map(({ name }) => name));
  return (whole.processes[whole.root]?.inputs ?? []).flatMap(({ name }) => (kept.has(name) ? [] : [name]));
}

/** Loads a document and keeps the text of everything that was read, to be sent to a service that cannot read it itself. */
export async function collectBundle(
  rootUri: string,
  fetcher: Fetcher,
  options: LoadOptions = {},
): Promise<{ bundle: DocumentBundle; result: LoadResult }> {
  const recording = recordingFetcher(fetcher);
  const result = await loadDocument(rootUri, recording, options);
  return { bundle: { rootUri, files: recording.files, ...(options.part && { part: options.part }) }, result };
}

/**
 * Of a `$graph` without `main`, for whom none of its processes is asked for: the fragments of those that no other one runs. Empty where there is no
 * question, or no answer.
 */
export async function entryPointsOf(rootUri: string, fetcher: Fetcher): Promise<string[]> {
  const { uri, fragment } = splitFragment(rootUri);
  const store = new DocumentStore(fetcher, new Reporter());
  const document = fragment ? undefined : await store.load(uri, undefined);
  if (document === undefined || document.fragments.size < 2 || document.fragments.has('main')) return [];
  const run = new Set(
    [...document.fragments.values()].flatMap(referencesOf).flatMap((place) => {
      const target = splitFragment(store.resolve(place.reference, place) ?? '');
      return target.uri === uri ? [target.fragment] : [];
    }),
  );
  return [...document.fragments.keys()].filter((name) => !run.has(name));
}

async function makePlan(rootUri: string, store: DocumentStore, reporter: Reporter, options: LoadOptions): Promise<Plan | undefined> {
  const { uri, fragment } = splitFragment(rootUri);
  const document = await store.load(uri, undefined);
  if (document === undefined) return undefined;
  const target = selectProcess(document, fragment === '' ? undefined : fragment, startOfDocument(document), store, reporter);
  if (target === undefined) return undefined;
  await collectRuns(target.node, store, reporter);
  requireVersion(target, reporter);
  const builder = new ProcessBuilder(store, reporter, uri);
  const root = builder.build(target.node, uri, target.fragment, 'v1.2');
  if (root === undefined) return undefined;
  const { processes } = builder;
  const { requirements = [], overrides = [], isPart = false } = options;
  applyOverrides(overrides, uri, builder, reporter);
  checkLinks(processes, root, builder.origins, reporter, { requirements, isPart });
  const formats = await ontologyOf(processes, store, reporter);
  const plan: Plan = { planVersion: 1, cwlVersion: processes[root]?.declaredVersion ?? 'v1.2', root, processes };
  if (formats && Object.keys(formats).length > 0) plan.formats = formats;
  return plan;
}

function startOfDocument(document: LoadedDocument): Place {
  const { file } = document;
  return document.root.file === file ? startOf(document.root) : { file, start: 0, end: 0 };
}

function requireVersion(target: Target, reporter: Reporter): void {
  const { document, node } = target;
  if (document.version !== undefined || field(node, 'cwlVersion') !== undefined || field(node, 'class') === undefined) return;
  const written = isMap(document.root) ? field(document.root, 'cwlVersion') : undefined;
  if (written) reporter.error(written, 'wrong-type', "'cwlVersion' must be a string such as v1.2");
  else
    reporter.error(
      startOfDocument(target.document),
      'missing-field',
      "the document needs the field 'cwlVersion'",
      'write cwlVersion: v1.2',
    );
}

/** Reads `$schemas` only where a format is asked for; a schema that cannot be read is a warning, as formats then compare by name. */
async function ontologyOf(
  processes: Readonly<Record<string, Process>>,
  store: DocumentStore,
  reporter: Reporter,
): Promise<FormatOntology | undefined> {
  const wanted = [...new Set(Object.values(processes).flatMap(formatsOf))];
  if (wanted.length === 0) return undefined;
  const relations = new Map<string, Set<string>>();
  for (const place of schemasOf(store)) {
    const uri = store.resolve(place.reference, place);
    const read = uri === undefined ? undefined : await store.read(splitFragment(uri).uri);
    if (read === undefined) continue;
    if ('text' in read) readOntology(read.text, relations);
    else reporter.warning(place, 'cannot-read', `formats compare by name only: ${read.error}`);
  }
  return pruneOntology(relations, wanted);
}

function formatsOf(process: Process): string[] {
  return process.inputs.flatMap((input) => {
    const own = typeof input.format === 'string' ? [input.format] : (input.format ?? []);
    return [...own, ...formatsInType(input.type)].filter((f) => !isExpression(f));
  });
}

function formatsInType(type: unknown): string[] {
  if (Array.isArray(type)) return type.flatMap(formatsInType);
  if (typeof type !== 'object' || type === null) return [];
  const { items, fields } = type as { items?: unknown; fields?: { format?: string | string[]; type: unknown }[] };
  return [
    ...formatsInType(items),
    ...(fields ?? []).flatMap((f) => [...(typeof f.format === 'string' ? [f.format] : (f.format ?? [])), ...formatsInType(f.type)]),
  ];
}

function schemasOf(store: DocumentStore): (Place & { reference: string })[] {
  return store.all().flatMap(({ root }) => {
    const node = isMap(root) ? field(root, '$schemas') : undefined;
    return node === undefined ? [] : stringsOf(node).map((reference) => ({ file: node.file, start: node.start, end: node.end, reference }));
  });
}
