/** A command that ends before its run does: what becomes of the run, and how to come back to it. */
import { CommandError, EXIT_LEFT } from './errors.js';

export const comeBack = (runId: string): string =>
  `\`weft attach ${runId}\` follows it and brings its outputs, \`weft cancel ${runId}\` ends it`;

/** The stack went away under a run that it keeps. */
export function stackStopped(runId: string, home: string): CommandError {
  return new CommandError(
    `the stack was stopped while run ${runId} was under way. The run is kept, and goes on when a stack of ${home} starts again: ${comeBack(runId)}`,
    EXIT_LEFT,
  );
}
