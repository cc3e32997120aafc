/**
 * The input object of a run: a job bound to the inputs of the plan's root process.
 *
 * Invariant: pure; the result has every input of the process, in its order, null where nothing was given.
 */
import {
  mapFiles,
  nameInUri,
  settleEntries,
  type CwlObject,
  type CwlValue,
  type InputParameter,
  type Plan,
  type Requirement,
} from '@weft/plan';
import type { Diagnostic, InputsResult } from '../api.js';
import { Reporter } from '../diagnostics.js';
import { acceptsNull, typeName } from '../link/assignable.js';
import { normaliseRequirementNode } from '../normalise-requirements.js';
import { nearestName } from '../source/nearest-name.js';
import { field, setOwn, type MapNode, type Place } from '../source/node.js';
import { conform, TOO_MANY_TRIES } from './conform.js';
import { expandFormatNames } from './format-names.js';
import { reportEngineKeys, reportUnresolved } from './job-keys.js';
import { engineKey, isParsedJob, jobFromObject, type ParsedJob } from './job.js';
import { Problems } from './problems.js';

export interface BindArguments {
  plan: Plan;
  job: CwlObject | ParsedJob;
  /** Address of the job file, or of a directory (ending in '/'): relative locations refer to it. */
  baseUri: string;
  /** Prefixes of the document (LoadResult.namespaces): what the job does not declare itself is read with them. */
  namespaces?: Readonly<Record<string, string>>;
  /** Inputs of the whole document that the part which is run does not have (LoadResult.leftOut): to be given or not. */
  leftOut?: readonly string[];
  /** What messages call the job. Default: the parsed job's address, else `baseUri`. */
  file?: string;
}

export function bindInputs(args: BindArguments): InputsResult {
  const parsed = isParsedJob(args.job) ? args.job : jobFromObject(args.job, args.file ?? args.baseUri);
  if (parsed.root === undefined) return { diagnostics: parsed.diagnostics };
  const { root } = parsed;
  const reporter = new Reporter();
  const problems = new Problems();
  if (args.namespaces) root.file.namespaces = { ...args.namespaces, ...root.file.namespaces };
  reportUnresolved(root, problems);
  const tries = { left: triesFor(root) };
  const binding: Binding = { root, baseUri: args.baseUri, problems, tries };
  const wanted = args.plan.processes[args.plan.root]?.inputs ?? [];
  const surplus = surplusKeys(root, wanted, args.leftOut ?? []);
  const inputs: CwlObject = {};
  for (const parameter of wanted) {
    const value = bindOne(parameter, binding, surplus);
    if (value !== undefined) setOwn(inputs, parameter.name, value);
  }
  if (tries.left < 0) problems.error(root, 'document-limit', TOO_MANY_TRIES);
  expandFormatNames(inputs, args.plan, { file: root.file, start: -1, end: -1 }, problems);
  for (const { key, place } of surplus.values()) problems.warning(place, 'unknown-input', `there is no input '${key}'; it is ignored`);
  reportEngineKeys(root, problems);
  const { requirements, diagnostics } = jobRequirements(root);
  problems.reportTo(reporter);
  const all = [...parsed.diagnostics, ...reporter.diagnostics(), ...diagnostics];
  const renamed = args.file === undefined ? all : all.map((d) => (d.file === parsed.uri ? { ...d, file: args.file ?? d.file } : d));
  if (renamed.some((d) => d.severity === 'error')) return { diagnostics: renamed };
  return { inputs, ...(requirements && { requirements }), diagnostics: renamed };
}

interface Binding {
  root: MapNode;
  baseUri: string;
  problems: Problems;
  tries: { left: number };
}

/** So that checking grows with the job, whatever its types are. What did not come as text was made here. */
const triesFor = (root: MapNode): number => (root.file.text === '' ? Number.POSITIVE_INFINITY : 100_000 + 5 * root.file.text.length);

/** A job with more keys than this that name nothing is not misspelt but another process's. */
const MAX_SURPLUS = 100;

type Surplus = Map<string, { key: string; place: Place }>;

function surplusKeys(root: MapNode, wanted: InputParameter[], leftOut: readonly string[]): Surplus {
  const names = new Set([...wanted.map((parameter) => parameter.name), ...leftOut]);
  const entries = [...root.entries.values()].filter(({ key }) => !names.has(key) && engineKey(key, root.file.namespaces) === undefined);
  return new Map(entries.map(({ key, place }) => [key, { key, place }]));
}

function bindOne(parameter: InputParameter, { root, baseUri, problems, tries }: Binding, surplus: Surplus): CwlValue | undefined {
  const given = field(root, parameter.name);
  if (given !== undefined) return conform(given, parameter.type, `input '${parameter.name}'`, { baseUri, problems, tries });
  if (parameter.default !== undefined && parameter.default !== null) return defaultOf(parameter, parameter.default, root, problems);
  if (acceptsNull(parameter.type)) return null;
  reportMissing(parameter, root, problems, surplus);
  return undefined;
}

/** A job that misspells an input hears about it once: the surplus name is taken as the missing one. */
function reportMissing(parameter: InputParameter, root: MapNode, problems: Problems, surplus: Surplus): void {
  const doc = parameter.label ?? parameter.doc;
  const about =
    doc === undefined ? typeName(parameter.type) : `${typeName(parameter.type)}: ${doc.trim().replace(/\s+/g, ' ').slice(0, 120)}`;
  const likely = surplus.size <= MAX_SURPLUS ? nearestName(parameter.name, surplus.keys()) : undefined;
  const place = likely === undefined ? undefined : surplus.get(likely)?.place;
  if (likely !== undefined) surplus.delete(likely);
  const isNull = root.entries.has(parameter.name);
  const message = `input '${parameter.name}' ${isNull ? 'must not be null' : 'is missing'} (${about})`;
  const at = place ?? root.entries.get(parameter.name)?.place ?? { file: root.file, start: -1, end: -1 };
  problems.error(at, 'missing-input', message, likely === undefined ? undefined : `is '${likely}' meant to be '${parameter.name}'?`);
}

/** What a document gives is looked at as what a job gives. */
function defaultOf(parameter: InputParameter, value: CwlValue, root: MapNode, problems: Problems): CwlValue | undefined {
  const copy = structuredClone(value);
  const problem = settleEntries(copy, { locations: true });
  if (problem === undefined) return withBasenames(copy);
  problems.error({ file: root.file, start: -1, end: -1 }, 'input-type', `the default of input '${parameter.name}': ${problem}`);
  return undefined;
}

function withBasenames(value: CwlValue): CwlValue {
  return mapFiles(value, (file) => {
    const copy: CwlObject = { ...file };
    if (file.basename === undefined && file.location !== undefined) copy['basename'] = nameInUri(file.location);
    for (const key of ['secondaryFiles', 'listing']) {
      const members = copy[key];
      if (members !== undefined) copy[key] = withBasenames(members);
    }
    return copy;
  });
}

/** `cwl:requirements` of a job, before there is a plan: LoadOptions.requirements. Mistakes in them are told by `bindInputs`. */
export function requirementsOfJob(job: CwlObject | ParsedJob): Requirement[] {
  const { root } = isParsedJob(job) ? job : jobFromObject(job, 'weft:job');
  return (root && jobRequirements(root).requirements) ?? [];
}

function jobRequirements(root: MapNode): { requirements?: Requirement[]; diagnostics: Diagnostic[] } {
  const entry = [...root.entries.values()].find(({ key }) => engineKey(key, root.file.namespaces) === 'cwl:requirements');
  return entry ? normaliseRequirementNode(entry.value) : { diagnostics: [] };
}
