/** Opens a RunsClient for a command and lets go of it afterwards. */
import { type Connected, connectRuns } from '../client/connect.js';
import type { RunsClient } from '../client/runs-client.js';

export function withRuns<T>(options: { gateway?: string }, work: (runs: RunsClient) => Promise<T>): Promise<T> {
  return withConnection(options, ({ runs }) => work(runs));
}

/** For work that wants to know when the stack goes away. */
export async function withConnection<T>(options: { gateway?: string }, work: (connected: Connected) => Promise<T>): Promise<T> {
  const connected = await connectRuns({ gateway: options.gateway, say: (line) => void process.stderr.write(`weft: ${line}\n`) });
  try {
    return await work(connected);
  } finally {
    connected.close();
  }
}
