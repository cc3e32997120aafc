/**
 * One fetch that several wait for.
 *
 * Invariants:
 *  1. Everybody who waits takes the result before anything else can happen to it.
 *  2. It stops when nobody waits any more. Once it has a result, or stops, nobody new joins: `onClosed` says so.
 */
export class SharedFetch {
  private readonly controller = new AbortController();
  private readonly takers = new Set<(result: string) => void>();
  private readonly settled: Promise<void>;

  constructor(
    fetch: (signal: AbortSignal, hand: (result: string) => void) => Promise<void>,
    private readonly onClosed: () => void,
  ) {
    // Not at once: whoever asked for it joins first.
    this.settled = Promise.resolve()
      .then(() =>
        fetch(this.controller.signal, (result) => {
          onClosed();
          for (const take of this.takers) take(result);
        }),
      )
      .finally(onClosed);
  }

  /** @param take called at once when the result is there */
  async join<T>(signal: AbortSignal, take: (result: string) => T): Promise<T> {
    let taken: { value: T } | { error: unknown } | undefined;
    const taker = (result: string): void => {
      try {
        taken = { value: take(result) };
      } catch (error) {
        taken = { error };
      }
    };
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_resolve, reject) => (leave = () => reject(signal.reason as Error)));
    signal.addEventListener('abort', leave, { once: true });
    this.takers.add(taker);
    try {
      await Promise.race([this.settled, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      this.takers.delete(taker);
      if (this.takers.size === 0) {
        this.onClosed();
        this.controller.abort();
      }
    }
    if (taken === undefined) throw new Error('the fetch ended without a result');
    if ('error' in taken) throw taken.error;
    return taken.value;
  }
}
