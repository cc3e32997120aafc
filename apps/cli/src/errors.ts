/** Errors that end a command: a message for people and an exit code. Anything else that is thrown is a defect and shows its stack. */
export const EXIT_FAILURE = 1;
/** The document asks for an optional feature that is not supported; the ecosystem's convention. */
export const EXIT_UNSUPPORTED = 33;
export const EXIT_INTERRUPTED = 130;

export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  constructor(
    message: string,
    readonly exitCode: number = EXIT_FAILURE,
  ) {
    super(message);
  }
}
