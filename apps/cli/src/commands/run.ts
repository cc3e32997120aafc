/** `weft run`: the ecosystem's cwl-runner convention. stdout carries the output object and nothing else. */
import { run } from '@weft/contracts';
import { formatDiagnostic } from '@weft/cwl';
import { isServiceError } from '@weft/platform';
import type { CwlObject } from '@weft/plan';
import { type Connected, connectRuns } from '../client/connect.js';
import type { RunsClient } from '../client/runs-client.js';
import { callerOf, missingNames, worldOfThisProcess } from '../caller.js';
import { type Prepared, prepare } from '../document/prepare.js';
import { CommandError, EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_UNSUPPORTED } from '../errors.js';
import { type Outcome, type SubmissionOptions, describeFailure, follow, submitPrepared } from '../execute.js';
import { type ProgressReporter, jsonReporter, silent } from '../progress/reporter.js';
import { terminalReporter } from '../progress/terminal.js';

export interface RunCommandOptions {
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
  cache: boolean;
  keepIntermediates?: boolean;
  priority?: number;
  parallel?: number;
  preserveEnvironment?: string[];
  preserveEntireEnvironment?: boolean;
  detach?: boolean;
  gateway?: string;
}

const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);

export async function runCommand(document: string, rest: string[], options: RunCommandOptions): Promise<void> {
  checkPreserved(options);
  const prepared = await prepare(document, rest);
  if (!options.quiet) for (const warning of prepared.warnings) process.stderr.write(`${formatDiagnostic(warning, process.cwd())}\n`);
  const connected = await connectRuns({ gateway: options.gateway, say });
  try {
    await submitAndFollow(connected, prepared, options);
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

async function submitAndFollow({ runs }: Connected, prepared: Prepared, options: RunCommandOptions): Promise<void> {
  const reporter = reporterFor(options);
  const waiting = (waitMs: number, why: string): void => say(`not taken yet: ${why} (waiting ${(waitMs / 1000).toFixed(1)} s)`);
  const submitted = await submitPrepared(runs, prepared, submissionOptions(options), options.quiet ? undefined : waiting);
  const { runId } = submitted.run;
  if (options.detach) return void process.stdout.write(`${runId}\n`);
  reporter.submitted(runId, submitted.run.name, submitted.existing);
  await followToEnd(runs, runId, { outdir: options.outdir, inputs: prepared.inputs }, reporter);
}

/** Shows a run to its end; Ctrl-C cancels it. Prints the output object. @throws CommandError where the run did not succeed */
export async function followToEnd(
  runs: RunsClient,
  runId: string,
  place: { outdir: string; inputs: CwlObject },
  reporter: ProgressReporter,
): Promise<void> {
  cancelOnInterrupt(() => runs.cancel(runId, 'interrupted'));
  let outcome: Outcome;
  try {
    outcome = await follow(runs, runId, place, reporter);
  } finally {
    reporter.end();
  }
  conclude(outcome);
}

/** Prints the output object. @throws CommandError where the run did not succeed */
export function conclude(outcome: Outcome): void {
  if (outcome.status === 'succeeded') return void process.stdout.write(`${JSON.stringify(outcome.outputs, null, 4)}\n`);
  if (outcome.status === 'cancelled')
    throw new CommandError(`run ${outcome.runId} was cancelled`, interrupted ? EXIT_INTERRUPTED : EXIT_FAILURE);
  const code = outcome.failure.code === 'UNSUPPORTED' ? EXIT_UNSUPPORTED : EXIT_FAILURE;
  throw new CommandError(`run ${outcome.runId} failed: ${describeFailure(outcome.failure)}`, code);
}

let interrupted = false;

/** The first Ctrl-C cancels the run and waits for its end; the second leaves at once. */
function cancelOnInterrupt(cancel: () => Promise<run.Run>): void {
  const interrupt = (): void => {
    if (interrupted) process.exit(EXIT_INTERRUPTED);
    interrupted = true;
    say('cancelling the run; Ctrl-C again leaves at once');
    cancel().catch((error: unknown) => {
      // It ended by itself just before: its last event is on the way.
      if (!(isServiceError(error) && error.code === 'FAILED_PRECONDITION'))
        say(`cannot cancel: ${error instanceof Error ? error.message : String(error)}`);
    });
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
}

export function reporterFor(options: Pick<RunCommandOptions, 'quiet' | 'json'>): ProgressReporter {
  const write = (text: string): void => void process.stderr.write(text);
  if (options.quiet) return silent;
  if (options.json) return jsonReporter(write);
  return terminalReporter({ write, live: process.stderr.isTTY === true, columns: () => process.stderr.columns || 80 });
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
    noCache: !options.cache,
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
