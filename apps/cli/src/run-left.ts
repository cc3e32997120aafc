/** A command that ends before its run does: what becomes of the run, and how to come back to it. */
import { CommandError, EXIT_LEFT } from './errors.js';

export const comeBack = (runId: string): string =>
  `\`weft attach ${runId}\` follows it and brings its outputs, \`weft cancel ${runId}\` ends it`;

/** The stack went away under a run that it keeps. @param why of a service that was given up; absent: the stack was stopped */
export function stackStopped(runId: string, home: string, why?: string): CommandError {
  const message =
    why === undefined
      ? `the stack was stopped while run ${runId} was under way. The run is kept, and goes on when a stack of ${home} starts again`
      : `${why}\nrun ${runId} cannot go on without it. The run is kept, and goes on when the next command has started it again`;
  return new CommandError(`${message}: ${comeBack(runId)}`, EXIT_LEFT);
}
