/**
 * When an embedded stack may go: nobody is connected, no run is active, and that for a while.
 *
 * Invariants:
 *  1. It never goes while a connection is open or a run is active.
 *  2. A connection that comes back before the end takes the decision back.
 */
export interface IdleOptions {
  lingerMs: number;
  /** Resolves when no run is active (at once if none is); rejects when aborted or when that cannot be found out. */
  runsFinished(signal: AbortSignal): Promise<void>;
  leave(): void;
  /** The runs could not be looked at: staying is the safe answer, and somebody should know. */
  failed(error: Error): void;
}

export class IdleWatch {
  private connections = 0;
  private kept = false;
  private waiting: AbortController | undefined;

  constructor(private readonly options: IdleOptions) {}

  get isKept(): boolean {
    return this.kept;
  }

  keep(): void {
    this.kept = true;
    this.waiting?.abort();
  }

  connected(): void {
    this.connections += 1;
    this.waiting?.abort();
  }

  disconnected(): void {
    this.connections -= 1;
    if (this.connections === 0 && !this.kept) void this.wait();
  }

  private async wait(): Promise<void> {
    const waiting = new AbortController();
    this.waiting = waiting;
    try {
      await this.options.runsFinished(waiting.signal);
    } catch (error) {
      if (!waiting.signal.aborted) this.options.failed(error as Error);
      return;
    }
    if (waiting.signal.aborted) return;
    const timer = setTimeout(() => this.options.leave(), this.options.lingerMs);
    waiting.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }
}
