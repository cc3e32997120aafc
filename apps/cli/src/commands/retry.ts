/** `weft retry`: goes on with a run that failed or was cancelled, and follows it as `weft run` does. */
import { findRun } from '../client/find-run.js';
import { inputsOf } from '../client/run-objects.js';
import { followToEnd, interruptsOf } from '../follow-to-end.js';
import { lookAtOutdir } from '../outputs/outdir.js';
import { reporterFor } from '../progress/reporter-for.js';
import { writeResult } from '../stdio.js';
import { refuseDetached, withConnection } from './with-runs.js';

export interface RetryOptions {
  outdir: string;
  quiet?: boolean;
  json?: boolean;
  detach?: boolean;
  gateway?: string;
}

export async function retryCommand(named: string, options: RetryOptions): Promise<void> {
  const interrupts = interruptsOf();
  const outdir = options.detach ? undefined : await lookAtOutdir(options.outdir);
  await withConnection({ gateway: options.gateway, settings: 'wanted', runId: named }, async (connected) => {
    if (options.detach) refuseDetached(connected);
    const runId = await findRun(connected.runs, named);
    interrupts.submitting();
    const run = await connected.runs.retry(runId);
    if (outdir === undefined) return writeResult(`${runId}\n`, `run ${runId} goes on`);
    const reporter = reporterFor(options);
    reporter.submitted(runId, run.name, true);
    const inputs = await inputsOf(connected.runs, run);
    await followToEnd(connected, interrupts, run, { outdir, inputs }, reporter);
  });
}
