/** `weft cancel`: asks for the end of runs and says what became of each. */
import { isServiceError } from '@weft/platform';
import { runWord } from '../client/status.js';
import { withRuns } from './with-runs.js';

export async function cancelCommand(runIds: string[], options: { reason: string; gateway?: string }): Promise<void> {
  await withRuns({ gateway: options.gateway, runId: runIds[0] }, async (client) => {
    for (const runId of runIds) {
      try {
        const { status } = await client.cancel(runId, options.reason);
        process.stdout.write(`${runId} ${runWord(status)}\n`);
      } catch (error) {
        if (!isServiceError(error)) throw error;
        process.stderr.write(`weft: ${runId}: ${error.message}\n`);
        process.exitCode = 1;
      }
    }
  });
}
