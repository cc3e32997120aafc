/**
 * The streams of a command: stdout carries its result, stderr what a person wants to know in between.
 *
 * Invariants:
 *  1. What cannot be said on stderr (closed, full, its reader gone) is not said: it never decides how a command ends.
 *  2. A result that stdout does not take is told by the exit code, after everything else has been done.
 *  3. Who reads a list and has had enough of it (`weft ls | head`) ends the command quietly.
 */
import { CommandError, EXIT_NOT_WRITTEN } from './errors.js';

/** Errors that a caller of writeResult hears of. */
const told = new WeakSet<object>();

export function guardStreams(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (told.has(error)) return;
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`weft: ${whyNotWritten(error)}\n`);
    process.exit(EXIT_NOT_WRITTEN);
  });
}

/** Writes what a command is for. @param kept what is there all the same @throws CommandError where stdout does not take it */
export function writeResult(text: string, kept: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error === null || error === undefined) return resolve();
      told.add(error);
      reject(new CommandError(`${whyNotWritten(error)}; ${kept}`, EXIT_NOT_WRITTEN));
    });
  });
}

const REASON: Readonly<Record<string, string>> = { EPIPE: 'nobody reads it', ENOSPC: 'no space is left there', EBADF: 'it is closed' };

function whyNotWritten(error: NodeJS.ErrnoException): string {
  return `stdout cannot be written: ${REASON[error.code ?? ''] ?? error.message}`;
}
