/**
 * Ends of the process while outputs are put in place: a signal lets the delivery tidy up first (interrupts.ts takes the signals and passes them on); at
 * `exit` only what needs no waiting can be done.
 */
const underWay = new Set<AbortController>();
const atExit = new Set<() => void>();

export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(
    signal: string,
    readonly exitCode: number,
  ) {
    super(`interrupted by ${signal}`);
  }
}

/** @param work its signal is aborted with an Interrupted when the process is asked to end */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  underWay.add(controller);
  try {
    return await work(controller.signal);
  } finally {
    underWay.delete(controller);
  }
}

/** Answers false where there is none, or it has been told already. */
export function interruptDeliveries(signal: string, exitCode: number): boolean {
  const waiting = [...underWay].filter((controller) => !controller.signal.aborted);
  for (const controller of waiting) controller.abort(new Interrupted(signal, exitCode));
  return waiting.length > 0;
}

/** @returns takes it back */
export function whenExiting(tidy: () => void): () => void {
  if (atExit.size === 0) process.on('exit', exiting);
  atExit.add(tidy);
  return () => {
    atExit.delete(tidy);
    if (atExit.size === 0) process.off('exit', exiting);
  };
}

function exiting(): void {
  for (const tidy of atExit) tidy();
}
