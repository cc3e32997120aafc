/** Breaks a pull off that makes no progress any more. */
import type { ProgressLine } from './progress-text.js';

export class StallGuard {
  stalled = false;
  private readonly abort = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly last = new Map<string, string>();
  private readonly giveUp = (): void => this.abort.abort();

  constructor(
    stallMs: number,
    private readonly unwanted: AbortSignal,
  ) {
    this.timer = setTimeout(() => {
      this.stalled = true;
      this.abort.abort();
    }, stallMs);
    unwanted.addEventListener('abort', this.giveUp, { once: true });
    if (unwanted.aborted) this.giveUp();
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** The engine says the same again while it waits, and counts down while it tries again: neither is progress. */
  saw({ id = '', status = '', stream = '', progressDetail }: ProgressLine): void {
    if (status.startsWith('Retrying')) return;
    const text = `${status}${stream} ${progressDetail?.current ?? ''}`;
    if (this.last.get(id) === text) return;
    this.last.set(id, text);
    this.timer.refresh();
  }

  end(): void {
    clearTimeout(this.timer);
    this.unwanted.removeEventListener('abort', this.giveUp);
  }
}
