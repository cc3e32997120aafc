/** `weft rm`: removes runs that have ended, with their outputs in storage, their logs and their records. */
import { isServiceError } from '@weft/platform/client';
import { findRun } from '../client/find-run.js';
import { CommandError } from '../errors.js';
import { withRuns } from './with-runs.js';

export async function rmCommand(named: string[], options: { gateway?: string }): Promise<void> {
  await withRuns(options, async (client) => {
    for (const name of named) {
      try {
        const runId = await findRun(client, name);
        await client.remove(runId);
        process.stdout.write(`${runId} removed\n`);
      } catch (error) {
        if (!isServiceError(error) && !(error instanceof CommandError)) throw error;
        process.stderr.write(`weft: ${name}: ${error.message}\n`);
        process.exitCode = 1;
      }
    }
  });
}
