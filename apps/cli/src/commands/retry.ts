/** `weft retry`: goes on with a run that failed or was cancelled, and follows it as `weft run` does. */
import type { CwlObject } from '@weft/plan';
import { followToEnd, reporterFor } from './run.js';
import { withRuns } from './with-runs.js';

export interface RetryOptions {
  outdir: string;
  quiet?: boolean;
  json?: boolean;
  detach?: boolean;
  gateway?: string;
}

export async function retryCommand(runId: string, options: RetryOptions): Promise<void> {
  await withRuns(options, async (client) => {
    const run = await client.retry(runId);
    if (options.detach) return void process.stdout.write(`${runId}\n`);
    const reporter = reporterFor(options);
    reporter.submitted(runId, run.name, true);
    const inputs = JSON.parse(run.inputsJson || '{}') as CwlObject;
    await followToEnd(client, runId, { outdir: options.outdir, inputs }, reporter);
  });
}
