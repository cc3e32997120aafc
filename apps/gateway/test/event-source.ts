/** An append-only list that any number of readers follow: what a fake's stream is fed from. */
export class Feed<T> {
  private readonly items: T[] = [];
  private ended = false;
  private failure: Error | undefined;
  private waiting: (() => void)[] = [];

  push(...items: T[]): void {
    this.items.push(...items);
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  fail(error: Error): void {
    this.failure = error;
    this.wake();
  }

  /** All items so far, then (where `follow`) new ones until the feed ends or the signal aborts. */
  async *read(follow: boolean, signal: AbortSignal): AsyncGenerator<T, void> {
    signal.addEventListener('abort', () => this.wake());
    for (let index = 0; !signal.aborted;) {
      const item = this.items[index];
      if (item !== undefined) {
        index += 1;
        yield item;
        continue;
      }
      if (this.failure) throw this.failure;
      if (this.ended || !follow) return;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
