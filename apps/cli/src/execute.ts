/**
 * One run from submission to its outputs in a directory: what `weft run` and `weft conformance` do alike.
 */
import { run, scheduler } from '@weft/contracts';
import { type RetryAfterOptions, retryWhenTold } from '@weft/platform/client';
import { type CwlObject, writeJson } from '@weft/plan';
import { followRun } from './client/follow-run.js';
import { outputsOf } from './client/run-objects.js';
import type { RunsClient, Submission } from './client/runs-client.js';
import { submitOnce } from './client/submit-once.js';
import type { Prepared } from './document/prepare.js';
import { CommandError } from './errors.js';
import { type Place, bringOutputs } from './outputs/bring.js';
import { DeliveryError } from './outputs/delivery-error.js';
import { Unanswered } from './outputs/unanswered.js';
import type { ProgressReporter } from './progress/reporter.js';
import { shownText } from './shown-text.js';

export type SubmissionOptions = Omit<Submission, 'document' | 'inputsJson' | 'inputsBaseUri'>;

export const NO_OPTIONS: SubmissionOptions = {
  name: '',
  projectId: '',
  pool: '',
  labels: {},
  idempotencyKey: '',
  ...scheduler.RunOptions.create(),
};

export type Outcome =
  | { status: 'succeeded'; runId: string; outputs: CwlObject }
  /** `outputs`: what it has all the same, here; `undelivered`: why they could not be brought. */
  | { status: 'failed'; runId: string; failure: run.Failure; outputs?: CwlObject; undelivered?: string }
  | { status: 'cancelled'; runId: string; failure: run.Failure | undefined };

/** Submits; where the service takes no more runs now, waits as long as it says and tries again: what is refused is not stored. */
export async function submitPrepared(
  runs: RunsClient,
  prepared: Prepared,
  options: SubmissionOptions,
  onWait?: RetryAfterOptions['onWait'],
): Promise<{ run: run.Run; existing: boolean }> {
  const inputsJson = writeJson(prepared.job);
  refuseLarge(prepared, inputsJson);
  const submission = {
    ...options,
    document: prepared.bundle,
    inputsJson,
    inputsBaseUri: prepared.baseUri,
  };
  return retryWhenTold(() => submitOnce(runs, submission), { onWait });
}

/** Bytes of a submission, with room for what is around them in a message of 64 MiB. */
const SUBMISSION_BYTES = 60 * 1024 * 1024;

/** @throws CommandError where it would not fit into a message */
function refuseLarge({ bundle }: Prepared, inputsJson: string): void {
  const documents = Object.entries(bundle.files).reduce((sum, [uri, text]) => sum + Buffer.byteLength(uri) + Buffer.byteLength(text), 0);
  const inputs = Buffer.byteLength(inputsJson);
  if (documents + inputs <= SUBMISSION_BYTES) return;
  const mib = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);
  throw new CommandError(
    `the documents have ${mib(documents)} MiB and the inputs ${mib(inputs)} MiB; at most ${mib(SUBMISSION_BYTES)} MiB can be submitted: put what is large into files that the inputs name`,
  );
}

/** Follows a run to its end and brings its outputs into the output folder. */
export async function follow(
  runs: RunsClient,
  runId: string,
  place: Place,
  reporter: ProgressReporter,
  signal?: AbortSignal,
): Promise<Outcome> {
  for await (const event of followRun(runs, runId, signal)) {
    reporter.event(event);
    if (event.event?.$case !== 'runStatus') continue;
    const { status, failure } = event.event.value;
    if (status === run.RunStatus.CANCELLED) return { status: 'cancelled', runId, failure };
    if (status === run.RunStatus.FAILED) {
      const told = { status: 'failed' as const, runId, failure: failure ?? run.Failure.fromPartial({ message: 'the run failed' }) };
      if (event.event.value.outputsJson === '' && !event.event.value.outputsOmitted) return told;
      const parts = await outputsOf(runs, runId, event.event.value);
      reporter.end();
      return { ...told, ...(await broughtPartly(runId, parts, place)) };
    }
    if (status === run.RunStatus.SUCCEEDED) {
      const published = await outputsOf(runs, runId, event.event.value);
      reporter.end();
      return { status: 'succeeded', runId, outputs: await bringOutputs(runId, published, place) };
    }
  }
  throw new Error(`the events of run ${runId} ended before the run did`);
}

/** What a run has that went on after a failure. That it failed is to be said, whatever becomes of these. */
async function broughtPartly(runId: string, outputs: CwlObject, place: Place): Promise<{ outputs?: CwlObject; undelivered?: string }> {
  try {
    return { outputs: await bringOutputs(runId, outputs, place, undefined, 'failed') };
  } catch (error) {
    if (error instanceof DeliveryError || error instanceof Unanswered) return { undelivered: error.message };
    throw error;
  }
}

/** What went wrong, in the order a person wants it: where, what, and what the tool said last. */
export function describeFailure(failure: run.Failure): string {
  const which = `step '${failure.step}${failure.index === '' ? '' : `[${failure.index}]`}'`;
  const message = failure.message.replace(`step '${failure.step}'`, () => which);
  const said = message.includes(which) || message.includes(`step '${failure.step}[`);
  const where = failure.step === '' || said ? '' : `${which}: `;
  const exit =
    failure.exitCode === undefined || failure.message.includes(`code ${failure.exitCode}`) ? '' : ` (exit code ${failure.exitCode})`;
  const tail = failure.stderrTail.length === 0 ? [] : ['last lines of its stderr:', ...failure.stderrTail.map((line) => `  ${line}`)];
  return shownText([`${where}${message}${exit}`, ...tail].join('\n'));
}
