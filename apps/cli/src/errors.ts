/** Errors that end a command: a message for people and an exit code. Anything else that is thrown is a defect and shows its stack. */
export const EXIT_FAILURE = 1;
/** The document asks for an optional feature that is not supported; the ecosystem's convention. */
export const EXIT_UNSUPPORTED = 33;
/** Everything was done, but stdout did not take the result (EX_IOERR of sysexits.h). */
export const EXIT_NOT_WRITTEN = 74;
/** The run goes on later: its stack was stopped (EX_TEMPFAIL of sysexits.h). */
export const EXIT_LEFT = 75;

export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  constructor(
    message: string,
    readonly exitCode: number = EXIT_FAILURE,
  ) {
    super(message);
  }
}
