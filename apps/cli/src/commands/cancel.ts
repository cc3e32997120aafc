/** `weft cancel`: asks for the end of runs and says what became of each. */
import { isServiceError } from '@weft/platform/client';
import { findRun } from '../client/find-run.js';
import { runWord } from '../client/status.js';
import { CommandError } from '../errors.js';
import { withRuns } from './with-runs.js';

export async function cancelCommand(names: string[], options: { reason: string; gateway?: string }): Promise<void> {
  await withRuns({ gateway: options.gateway, runId: names[0] }, async (client) => {
    for (const name of names) {
      try {
        const runId = await findRun(client, name);
        const { status } = await client.cancel(runId, options.reason);
        process.stdout.write(`${runId} ${runWord(status)}\n`);
      } catch (error) {
        if (!isServiceError(error) && !(error instanceof CommandError)) throw error;
        process.stderr.write(`weft: ${name}: ${error.message}\n`);
        process.exitCode = 1;
      }
    }
  });
}
