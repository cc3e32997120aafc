/**
 * From what the command line names to what can be submitted: the document with everything it reads, and the job bound to its inputs.
 * Mistakes are found here, before anything is started.
 */
import { pathToFileURL } from 'node:url';
import {
  type Diagnostic,
  type DocumentPart,
  type ParsedJob,
  bindInputs,
  collectBundle,
  formatDiagnostic,
  jobFromArguments,
  jobToolReference,
  jobWithOverrides,
  overridesOfJob,
  readJob,
  requirementsOfJob,
} from '@weft/cwl';
import type { run } from '@weft/contracts';
import type { CwlObject, Plan } from '@weft/plan';
import { insteadOf } from '../commands/foreign-options.js';
import { CommandError, EXIT_FAILURE, EXIT_UNSUPPORTED } from '../errors.js';
import { documentUri, jobUri, localFetcher, lookedAtUri } from './fetcher.js';

export interface Prepared {
  bundle: run.DocumentBundle;
  plan: Plan;
  /** The job as written (with the command line's inputs), to be bound again by whoever runs it. */
  job: CwlObject;
  /** What relative locations in the job refer to. */
  baseUri: string;
  /** The job bound to the inputs. */
  inputs: CwlObject;
  warnings: Diagnostic[];
}

/** The document or the job has mistakes: every one is in the message, at its place. */
export class Refused extends CommandError {
  override readonly name = 'Refused';

  constructor(
    readonly diagnostics: Diagnostic[],
    unsupported: boolean,
  ) {
    const shown = diagnostics.filter((d) => d.severity === 'error').map((d) => formatDiagnostic(d, process.cwd()));
    super(shown.join('\n'), unsupported ? EXIT_UNSUPPORTED : EXIT_FAILURE);
  }
}

/** To be looked at: what it may inherit from a workflow that runs it is no error. */
export async function planToLookAt(document: string): Promise<Plan> {
  const { result } = await collectBundle(await lookedAtUri(document), localFetcher, { isPart: true });
  if (result.plan === undefined) throw new Refused(result.diagnostics, result.unsupported);
  return result.plan;
}

/** What the command line says beside the document and its job. */
export interface Beside {
  /** A file of overrides. */
  overrides?: string;
  part?: DocumentPart;
}

export interface LoadedPlan {
  bundle: run.DocumentBundle;
  plan: Plan;
  namespaces: Readonly<Record<string, string>> | undefined;
  leftOut: readonly string[] | undefined;
  warnings: Diagnostic[];
}

/** `job`: its `cwl:requirements` are in effect for the document. `overrides`: those of the command line, below which the job's count. */
export async function loadPlan(document: string, job?: ParsedJob, overrides?: ParsedJob, part?: DocumentPart): Promise<LoadedPlan> {
  const { bundle, result } = await collectBundle(await documentUri(document), localFetcher, {
    requirements: job === undefined ? [] : requirementsOfJob(job),
    overrides: [overrides, job].flatMap((one) => (one === undefined ? [] : overridesOfJob(one))),
    ...(part && { part }),
  });
  if (result.plan === undefined) throw new Refused(result.diagnostics, result.unsupported);
  const { plan, namespaces, leftOut, diagnostics: warnings } = result;
  return { bundle, plan, namespaces, leftOut, warnings };
}

async function namedOverrides(name: string): Promise<ParsedJob> {
  const read = await namedJob(name);
  if (read.parsed === undefined || overridesOfJob(read.parsed).length === 0)
    throw new CommandError(`--overrides: ${name} has no 'cwltool:overrides'`);
  return read.parsed;
}

/** `rest`: what follows the document: a job file if the first is no option, then `--name value` inputs. */
export async function prepare(name: string, rest: string[], beside: Beside = {}): Promise<Prepared> {
  const following = rest[0] !== undefined && (rest[0] === '-' || !rest[0].startsWith('-')) ? rest[0] : undefined;
  if (name === '-' && following === '-') throw new CommandError('document and job cannot both come on stdin');
  const itself = following === undefined ? await documentOfJob(name) : undefined;
  const [document, named] = itself === undefined ? [name, following] : [itself, name];
  const { job: fileJob, baseUri, parsed } = await namedJob(named);
  const overrides = beside.overrides === undefined ? undefined : await namedOverrides(beside.overrides);
  const { bundle, plan, namespaces, leftOut, warnings } = await loadPlan(document, parsed, overrides, beside.part);
  const argumentsOnly = following === undefined ? rest : rest.slice(1);
  const given = jobFromArguments(plan, argumentsOnly, directoryUri(), insteadOf);
  if (given.diagnostics.some((d) => d.severity === 'error')) throw new Refused(given.diagnostics, false);
  const fromCommandLine = Object.keys(given.job).length > 0;
  const inputs = { ...fileJob, ...given.job };
  const job = overrides === undefined ? inputs : jobWithOverrides(inputs, overrides);
  // A job file as it was written keeps its places, so that messages can name the line.
  const bound = bindInputs({
    plan,
    job: fromCommandLine || parsed === undefined ? inputs : parsed,
    baseUri,
    namespaces,
    leftOut,
    file: fromCommandLine || named === undefined ? 'command line' : undefined,
  });
  if (bound.inputs === undefined) throw new Refused(bound.diagnostics, false);
  return { bundle, plan, job, baseUri, inputs: bound.inputs, warnings: [...warnings, ...given.diagnostics, ...bound.diagnostics] };
}

/** The document that a job names itself (`cwl:tool`), where the job stands in its place: a script for cwl-runner (CWL v1.2 Workflow §1.6). */
async function documentOfJob(name: string): Promise<string | undefined> {
  const uri = await documentUri(name);
  const written = uri.startsWith('file:') ? await localFetcher.fetch(uri.replace(/#.*$/, '')).catch(() => '') : '';
  if (!/cwl[:#]tool\b/.test(written)) return undefined;
  const tool = jobToolReference(await readJob(uri, localFetcher));
  return tool === undefined ? undefined : new URL(tool, uri).href;
}

async function namedJob(name: string | undefined): Promise<{ job: CwlObject; baseUri: string; parsed?: ParsedJob }> {
  if (name === undefined) return { job: {}, baseUri: directoryUri() };
  const uri = await jobUri(name);
  const parsed = await readJob(uri, localFetcher);
  if (parsed.value === undefined) throw new Refused(parsed.diagnostics, false);
  return { job: parsed.value, baseUri: uri, parsed };
}

function directoryUri(): string {
  return `${pathToFileURL(process.cwd()).href}/`;
}
