/**
 * Ordering events by hand: a test holds something at a gate, looks at what happened meanwhile, and opens the gate.
 */

/** A promise and the two ways to settle it. */
export interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // A test may reject before it awaits; the rejection still reaches whoever awaits later.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** Whoever calls pass() waits until the test calls open() (or fail()); `reached` resolves when the first one waits. */
export class DeferredGate {
  private readonly opened = deferred();
  private readonly arrival = deferred();
  /** How many have arrived so far. */
  arrivals = 0;

  readonly reached: Promise<void> = this.arrival.promise;

  pass(): Promise<void> {
    this.arrivals++;
    this.arrival.resolve();
    return this.opened.promise;
  }

  open(): void {
    this.opened.resolve();
  }

  /** Everybody at the gate, and who comes later, gets this error. */
  fail(error: unknown): void {
    this.opened.reject(error);
  }
}

/** Collects what arrives and lets a test wait for the n-th, without a clock. */
export class Inbox<T> {
  readonly items: T[] = [];
  private readonly waiting: { count: number; resolve: (items: T[]) => void }[] = [];

  /** Bound, so that it can be handed over as a callback. */
  readonly push = (item: T): void => {
    this.items.push(item);
    for (const waiter of this.waiting.filter(({ count }) => this.items.length >= count)) waiter.resolve([...this.items]);
  };

  /** Resolves with all items as soon as there are `count`. */
  atLeast(count: number): Promise<T[]> {
    if (this.items.length >= count) return Promise.resolve([...this.items]);
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }
}
