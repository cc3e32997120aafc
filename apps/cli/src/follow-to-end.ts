/**
 * A run from where it is to its end, as `weft run` and `weft retry` show it: signals cancel it, its outputs are brought here, and the output
 * object is printed.
 */
import { writeFile } from 'node:fs/promises';
import { writeJson } from '@weft/plan';
import { run } from '@weft/contracts';
import { isServiceError } from '@weft/platform/client';
import type { Connected } from './client/connect.js';
import { CommandError, EXIT_FAILURE, EXIT_NOT_WRITTEN, EXIT_UNSUPPORTED } from './errors.js';
import { type Outcome, describeFailure, follow } from './execute.js';
import { homeOf } from './home.js';
import { Interrupts, takeSignals } from './interrupts.js';
import type { Place } from './outputs/bring.js';
import type { ProgressReporter } from './progress/reporter.js';
import { stackStopped } from './run-left.js';
import { shownLine } from './shown-text.js';
import { writeResult } from './stdio.js';

/** From now on signals of this process are taken by what it gives. */
export function interruptsOf(keepOnHangup = true): Interrupts {
  const interrupts = new Interrupts({
    say: (line) => void process.stderr.write(`weft: ${line}\n`),
    exit: (code) => process.exit(code),
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
    keepOnHangup,
  });
  takeSignals((signal) => interrupts.take(signal));
  return interrupts;
}

/** @throws CommandError where the run did not succeed, or its stack was stopped or has given up a service */
export async function followToEnd(
  connected: Connected,
  interrupts: Interrupts,
  begun: run.Run,
  place: Place,
  reporter: ProgressReporter,
): Promise<void> {
  const { runId } = begun;
  interrupts.following(runId, (reason) => cancelled(connected, runId, reason));
  const outcome = await followWhileUp(connected, begun, place, reporter, () => interrupts.succeeded(runId)).finally(() =>
    interrupts.close(),
  );
  await conclude(outcome, place, interrupts.exitCode);
}

async function cancelled({ runs }: Connected, runId: string, reason: string): Promise<void> {
  await runs.cancel(runId, reason).catch((error: unknown) => {
    // It ended by itself just before: its last event is on the way.
    if (!(isServiceError(error) && error.code === 'FAILED_PRECONDITION')) throw error;
  });
}

/** @throws CommandError where the stack is stopped before the run ends */
export async function followWhileUp(
  { runs, stopped }: Connected,
  { runId, retriedAt }: run.Run,
  place: Place,
  reporter: ProgressReporter,
  onSucceeded: () => void = () => undefined,
): Promise<Outcome> {
  const gone = new AbortController();
  let why: string | undefined;
  void stopped?.then((said) => {
    why = said;
    gone.abort();
  });
  try {
    return await follow(runs, runId, place, newsOnly(reporter, retriedAt, onSucceeded), gone.signal);
  } catch (error) {
    throw gone.signal.aborted && isServiceError(error) && error.code === 'CANCELLED' ? stackStopped(runId, homeOf().root, why) : error;
  } finally {
    reporter.end();
  }
}

/** What was before the last retry is history: it counts, and is not told again. */
function newsOnly(reporter: ProgressReporter, since: Date | undefined, onSucceeded: () => void): ProgressReporter {
  return {
    submitted: (...told) => reporter.submitted(...told),
    past: (event) => reporter.past(event),
    event: (event) => {
      if (event.event?.$case === 'runStatus' && event.event.value.status === run.RunStatus.SUCCEEDED) onSucceeded();
      if (since !== undefined && event.at !== undefined && event.at < since) reporter.past(event);
      else reporter.event(event);
    },
    end: () => reporter.end(),
  };
}

/** Prints the output object. @throws CommandError where the run did not succeed, or the object could not be written */
export async function conclude(outcome: Outcome, { outdir, summary }: Place, interruptedCode?: number): Promise<void> {
  const { runId } = outcome;
  const print = summary === undefined ? writeResult : writeSummary(summary);
  switch (outcome.status) {
    case 'succeeded':
      return print(
        `${writeJson(outcome.outputs, 4)}\n`,
        `run ${runId} has succeeded, and its output files are in ${outdir.path}; \`weft show ${runId}\` prints the output object`,
      );
    case 'cancelled':
      throw new CommandError(`run ${runId} was cancelled${reasonOf(outcome.failure)}`, interruptedCode ?? EXIT_FAILURE);
    case 'failed': {
      const code = outcome.failure.code === 'UNSUPPORTED' ? EXIT_UNSUPPORTED : EXIT_FAILURE;
      if (outcome.outputs) await print(`${writeJson(outcome.outputs, 4)}\n`, `what run ${runId} has is in ${outdir.path}`);
      throw new CommandError(
        [`run ${runId} failed: ${describeFailure(outcome.failure)}`, ...partsOf(outcome, outdir.path)].join('\n'),
        code,
      );
    }
  }
}

/** Nobody is to take a part for the whole. */
function partsOf({ outputs, undelivered }: Extract<Outcome, { status: 'failed' }>, outdir: string): string[] {
  if (undelivered !== undefined) return [undelivered];
  if (outputs === undefined) return [];
  const missing = Object.keys(outputs).filter((name) => outputs[name] === null);
  const absent = missing.length === 0 ? '' : `; null: ${missing.join(', ')}`;
  const has = Object.keys(outputs).length - missing.length;
  return [shownLine(`the output object is what succeeded, ${has} of ${Object.keys(outputs).length} outputs, in ${outdir}${absent}`)];
}

const reasonOf = (failure: run.Failure | undefined): string => (failure?.message ? `: ${shownLine(failure.message)}` : '');

/** As writeResult, into a file. */
function writeSummary(path: string): typeof writeResult {
  return async (text, kept) => {
    try {
      await writeFile(path, text);
    } catch (error) {
      throw new CommandError(`--write-summary: ${(error as Error).message}; ${kept}`, EXIT_NOT_WRITTEN);
    }
  };
}
