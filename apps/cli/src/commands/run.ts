/** `weft run`: the ecosystem's cwl-runner convention. stdout carries the output object and nothing else. */
import { run } from '@weft/contracts';
import { formatDiagnostic } from '@weft/cwl';
import { type Connected, connectRuns } from '../client/connect.js';
import { callerOf, missingNames, worldOfThisProcess } from '../caller.js';
import { type Prepared, prepare } from '../document/prepare.js';
import { CommandError, EXIT_NOT_WRITTEN } from '../errors.js';
import { type SubmissionOptions, submitPrepared } from '../execute.js';
import { followToEnd, interruptsOf } from '../follow-to-end.js';
import type { Interrupts } from '../interrupts.js';
import type { Place } from '../outputs/bring.js';
import { lookAtOutdir } from '../outputs/outdir.js';
import { writeLogs } from '../outputs/write-logs.js';
import { reporterFor } from '../progress/reporter-for.js';
import { writeResult } from '../stdio.js';
import { type PartOptions, besideOf } from './part-options.js';
import { refuseDetached } from './with-runs.js';

export interface RunCommandOptions extends PartOptions {
  outdir: string;
  quiet?: boolean;
  container: boolean;
  defaultContainer?: string;
  json?: boolean;
  name?: string;
  project: string;
  pool: string;
  label?: string[];
  idempotencyKey?: string;
  timeout?: number;
  onError?: 'stop' | 'continue';
  maxAttempts?: number;
  oomRetry?: number;
  /** Undefined: neither was said. */
  cache?: boolean;
  keepIntermediates?: boolean;
  priority?: number;
  parallel?: number;
  preserveEnvironment?: string[];
  preserveEntireEnvironment?: boolean;
  logDir?: string;
  writeSummary?: string;
  detach?: boolean;
  private?: boolean;
  gateway?: string;
}

const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);

export async function runCommand(document: string, rest: string[], options: RunCommandOptions): Promise<void> {
  checkPreserved(options);
  const interrupts = interruptsOf();
  const prepared = await prepare(document, rest, besideOf(options));
  if (!options.quiet) for (const warning of prepared.warnings) process.stderr.write(`${formatDiagnostic(warning, process.cwd())}\n`);
  const place = options.detach ? undefined : await placeOf(prepared, options);
  const connected = await connectRuns({ gateway: options.gateway, say, settings: 'wanted', private: options.private });
  try {
    if (options.detach) refuseDetached(connected);
    await submitAndFollow(connected, interrupts, prepared, options, place);
  } finally {
    connected.close();
  }
}

/** Before anything is started. */
function checkPreserved({ preserveEnvironment: names = [], preserveEntireEnvironment: entire, gateway, quiet }: RunCommandOptions): void {
  if (names.length === 0 && !entire) return;
  if (gateway)
    throw new CommandError(
      `${names.length > 0 ? '--preserve-environment' : '--preserve-entire-environment'}: variables go with a run to the local stack alone; ` +
        'through a gateway a job brings them as cwl:requirements: [{class: EnvVarRequirement, envDef: {NAME: value}}]',
    );
  const missing = missingNames(process.env, names);
  if (missing.length > 0 && !quiet) say(`--preserve-environment: not set here: ${missing.join(', ')}`);
}

/** Where the outputs go, looked at before anything runs; the document and the job are no more to be replaced than the inputs. */
async function placeOf({ bundle, baseUri, inputs }: Prepared, { outdir, writeSummary: summary }: RunCommandOptions): Promise<Place> {
  const place = { outdir: await lookAtOutdir(outdir), inputs, alsoInputs: [...Object.keys(bundle.files), baseUri] };
  return summary === undefined ? place : { ...place, summary };
}

async function submitAndFollow(
  connected: Connected,
  interrupts: Interrupts,
  prepared: Prepared,
  options: RunCommandOptions,
  place: Place | undefined,
): Promise<void> {
  const reporter = reporterFor(options, prepared.plan);
  const waiting = (waitMs: number, why: string): void => say(`not taken yet: ${why} (waiting ${(waitMs / 1000).toFixed(1)} s)`);
  interrupts.submitting();
  const submitted = await submitPrepared(connected.runs, prepared, submissionOptions(options), options.quiet ? undefined : waiting);
  const { runId } = submitted.run;
  if (place === undefined) return writeResult(`${runId}\n`, `run ${runId} goes on`);
  reporter.submitted(runId, submitted.run.name, submitted.existing);
  await followToEnd(connected, interrupts, submitted.run, place, reporter).finally(() => keepLogs(connected, runId, options));
}

/** Also of a run that failed; what cannot be written does not hide why it did. */
async function keepLogs({ runs }: Connected, runId: string, { logDir, quiet }: RunCommandOptions): Promise<void> {
  if (logDir === undefined) return;
  try {
    const folder = await writeLogs(runs, runId, logDir);
    if (!quiet) say(`logs of the tools: ${folder}`);
  } catch (error) {
    say(`--log-dir: ${(error as Error).message}; \`weft logs ${runId}\` has them`);
    process.exitCode ||= EXIT_NOT_WRITTEN;
  }
}

function submissionOptions(options: RunCommandOptions): SubmissionOptions {
  return {
    name: options.name ?? '',
    projectId: options.project,
    pool: options.pool,
    labels: labelsOf(options.label ?? []),
    idempotencyKey: options.idempotencyKey ?? '',
    noContainer: !options.container,
    defaultContainer: options.defaultContainer ?? '',
    deadlineS: options.timeout ?? 0,
    maxAttempts: options.maxAttempts ?? 0,
    failureMode: options.onError === 'continue' ? run.FailureMode.CONTINUE : run.FailureMode.FAIL_FAST,
    oomRetryFactor: options.oomRetry ?? 0,
    cache: options.cache === true,
    noCache: options.cache === false,
    keepIntermediates: options.keepIntermediates ?? false,
    priority: options.priority ?? 0,
    maxParallelTasks: options.parallel ?? 0,
    caller: callerOf(worldOfThisProcess(), {
      names: options.preserveEnvironment ?? [],
      entire: options.preserveEntireEnvironment ?? false,
    }),
  };
}

function labelsOf(pairs: string[]): Record<string, string> {
  const entries = pairs.map((pair) => {
    const [key = '', ...value] = pair.split('=');
    if (key === '' || value.length === 0) throw new CommandError(`a label is written key=value, not "${pair}"`);
    return [key, value.join('=')];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}
