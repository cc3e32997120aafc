/** Opens a RunsClient for a command and lets go of it afterwards. */
import { connectRuns } from '../client/connect.js';
import type { RunsClient } from '../client/runs-client.js';

export async function withRuns<T>(options: { gateway?: string }, work: (runs: RunsClient) => Promise<T>): Promise<T> {
  const connected = await connectRuns({ gateway: options.gateway, say: (line) => void process.stderr.write(`weft: ${line}\n`) });
  try {
    return await work(connected.runs);
  } finally {
    connected.close();
  }
}
