/**
 * Time as the scheduler's parts see it: what o'clock it is, and work for later. A simulation brings its own.
 */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Does the work once, `delayMs` from now; the function it returns calls that off. Never keeps the process alive. */
  after(delayMs: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
