/**
 * What Linux takes as one command: told before anything is started, where the system itself only gives exit code 126.
 * Sources: execve(2) and fs/exec.c: MAX_ARG_STRLEN for one argument or variable, and 3/4 of the default stack for all of them together.
 */
import { TaskError } from './api.js';

/** Bytes of one argument, or one NAME=value, with the zero at its end: 32 pages. */
const MAX_STRING_BYTES = 32 * 4096;
/** Bytes of all together with their pointers, whatever the limit of the stack is. A lower one (a quarter of it) is the runner's. */
export const MAX_TOTAL_BYTES = 6 * 1024 * 1024;
/** What is taken where the stack's limit is the usual 8 MiB. */
export const USUAL_TOTAL_BYTES = 2 * 1024 * 1024;
const POINTER_BYTES = 8;
const SHOWN = 40;

const INSTEAD = 'hand long lists over in a file: InitialWorkDirRequirement writes one, and loadContents or stdin read it';

/** @throws TaskError ARGUMENTS_TOO_LONG */
export function refuseTooLong(argv: readonly string[], environment: Readonly<Record<string, string>>): void {
  for (const [at, argument] of argv.entries()) {
    const bytes = bytesOf(argument);
    if (bytes > MAX_STRING_BYTES) throw tooLong(`argument ${at} ('${argument.slice(0, SHOWN)}…')`, bytes);
  }
  for (const [name, value] of Object.entries(environment)) {
    const bytes = bytesOf(name) + bytesOf(value);
    if (bytes > MAX_STRING_BYTES) throw tooLong(`the environment variable ${name}`, bytes);
  }
  const total = commandBytes(argv, environment);
  if (total <= MAX_TOTAL_BYTES) return;
  throw new TaskError(
    'ARGUMENTS_TOO_LONG',
    `the command has ${argv.length} arguments of ${total} bytes with its environment, and Linux takes at most ${MAX_TOTAL_BYTES}: ${INSTEAD}`,
  );
}

/** Of the whole command, as the system counts them. */
export function commandBytes(argv: readonly string[], environment: Readonly<Record<string, string>>): number {
  let total = 0;
  for (const argument of argv) total += bytesOf(argument) + POINTER_BYTES;
  for (const [name, value] of Object.entries(environment)) total += bytesOf(name) + bytesOf(value) + POINTER_BYTES;
  return total;
}

/** What a tool is told that could not be started (exit code 126); undefined where its command is not too long for the usual limit. */
export function whyNotStarted(argv: readonly string[], environment: Readonly<Record<string, string>>): string | undefined {
  const total = commandBytes(argv, environment);
  if (total <= USUAL_TOTAL_BYTES) return undefined;
  return `its command has ${total} bytes with its environment, more than the system takes (a quarter of the runner's limit for the stack, ${USUAL_TOTAL_BYTES} as a rule): ${INSTEAD}`;
}

/** With the zero at its end. */
function bytesOf(text: string): number {
  return Buffer.byteLength(text) + 1;
}

function tooLong(what: string, bytes: number): TaskError {
  return new TaskError('ARGUMENTS_TOO_LONG', `${what} has ${bytes} bytes, and Linux takes at most ${MAX_STRING_BYTES} in one: ${INSTEAD}`);
}
