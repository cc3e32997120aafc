/** Opens a RunsClient for a command and lets go of it afterwards. */
import { type Connected, connectRuns } from '../client/connect.js';
import type { RunsClient } from '../client/runs-client.js';
import { CommandError } from '../errors.js';
import type { Settings } from '../stack/connect.js';

interface Whose {
  gateway?: string;
  /** Whether the variables of this command count (stack/connect.ts). */
  settings?: Settings;
  /** The run that the command is about. */
  runId?: string;
}

export function withRuns<T>(options: Whose, work: (runs: RunsClient) => Promise<T>): Promise<T> {
  return withConnection(options, ({ runs }) => work(runs));
}

/** For work that wants to know when the stack goes away. */
export async function withConnection<T>(options: Whose, work: (connected: Connected) => Promise<T>): Promise<T> {
  const connected = await connectRuns({ ...options, say: (line) => void process.stderr.write(`weft: ${line}\n`) });
  try {
    return await work(connected);
  } finally {
    connected.close();
  }
}

/** A run that goes on needs a stack that does. */
export function refuseDetached({ isOwned }: Connected): void {
  if (isOwned === true)
    throw new CommandError(
      "--detach: this command's stack ends with it, and the run would end, too: leave --detach out, or set WEFT_PRIVATE=0",
    );
}
