/** `weft attach`: follows a run that was begun elsewhere and brings its outputs here, as `weft run` would have. Ctrl-C leaves; the run goes on. */
import type { CwlObject } from '@weft/plan';
import { follow } from '../execute.js';
import { conclude, reporterFor } from './run.js';
import { withRuns } from './with-runs.js';

export interface AttachOptions {
  outdir: string;
  quiet?: boolean;
  json?: boolean;
  gateway?: string;
}

export async function attachCommand(runId: string, options: AttachOptions): Promise<void> {
  await withRuns(options, async (client) => {
    const run = await client.get(runId);
    const reporter = reporterFor(options);
    reporter.submitted(runId, run.name, true);
    const place = { outdir: options.outdir, inputs: JSON.parse(run.inputsJson || '{}') as CwlObject };
    conclude(await follow(client, runId, place, reporter).finally(() => reporter.end()));
  });
}
