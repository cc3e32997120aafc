/** Remembers that something happened until somebody looks: a wake-up between two looks is never lost, and many count as one. */
export class Wake {
  private pending = false;
  private waiter: (() => void) | undefined;

  signal(): void {
    this.pending = true;
    this.waiter?.();
    this.waiter = undefined;
  }

  /** Resolves at once if signal() was called since the last time. One caller at a time. */
  async next(): Promise<void> {
    if (!this.pending) await new Promise<void>((resolve) => (this.waiter = resolve));
    this.pending = false;
  }
}
