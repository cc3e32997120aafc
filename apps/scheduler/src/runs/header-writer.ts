/**
 * Keeps a run's stored header up to date while it goes on. Writes never queue up, and there are a few a second at most: each carries the whole
 * header, and what is exact at every moment is the log. The last header is part of sealing, and not written here.
 */
import type { Clock } from '../kernel/clock.js';

const INTERVAL_MS = 250;

export class HeaderWriter {
  private writing: Promise<void> | undefined;
  private dirty = false;
  private stopped = false;
  private stopTimer = (): void => undefined;

  /** @param write writes the header as it is now; resolves in any case */
  constructor(
    private readonly write: () => Promise<void>,
    private readonly clock: Clock,
  ) {}

  changed(): void {
    this.dirty = true;
    this.writeNext();
  }

  /** Nothing is written that was not begun. */
  stop(): void {
    this.stopped = true;
    this.stopTimer();
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    await this.writing;
  }

  private writeNext(): void {
    if (this.writing || !this.dirty || this.stopped) return;
    this.dirty = false;
    this.writing = this.write().finally(() => {
      this.stopTimer = this.clock.after(INTERVAL_MS, () => {
        this.writing = undefined;
        this.writeNext();
      });
    });
  }
}
