/**
 * The clock of the test: how many entries the logs of all runs have. Told by the store's own nudges; a missed one is made good by the next.
 */
import { PARTITIONS, type Nudges } from '@weft/run-store';

export class Progress {
  private readonly sequences = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private total = 0;
  private movedAtMs = Date.now();

  async listen(nudges: Nudges): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      await nudges.subscribe(
        partition,
        (runId, sequence) => this.saw(runId, sequence),
        () => undefined,
      );
  }

  get entries(): number {
    return this.total;
  }

  /** Milliseconds since anything was appended anywhere. */
  get idleMs(): number {
    return Date.now() - this.movedAtMs;
  }

  of(runId: string): number {
    return this.sequences.get(runId) ?? 0;
  }

  /** Resolves with true when `reached` holds, looked at whenever something was appended; with false after `limitMs` or when aborted. */
  until(reached: () => boolean, limitMs: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (found: boolean): void => {
        this.listeners.delete(look);
        clearTimeout(limit);
        signal?.removeEventListener('abort', stop);
        resolve(found);
      };
      const look = (): void => void (reached() && settle(true));
      const stop = (): void => settle(false);
      const limit = setTimeout(stop, limitMs);
      signal?.addEventListener('abort', stop, { once: true });
      this.listeners.add(look);
      if (signal?.aborted) stop();
      else look();
    });
  }

  private saw(runId: string, sequence: number): void {
    const before = this.of(runId);
    if (sequence <= before) return;
    this.sequences.set(runId, sequence);
    this.total += sequence - before;
    this.movedAtMs = Date.now();
    for (const listener of [...this.listeners]) listener();
  }
}
