/**
 * The newest events of one run, in memory, for any number of watchers: what a watcher costs is its place in them.
 *
 * Invariants:
 *  1. Every entry of the log is one batch, in order and without gaps; a batch is the same whoever made it (run-teller.ts).
 *  2. The newest batches are held, KEPT of them. Who falls further behind reads the log again (run-feeds.ts): nobody slow holds up or costs others anything.
 *  3. A feed made from the log goes on only while somebody waits for more: it is paced by its fastest watcher.
 */
import type { run as pb } from '@weft/contracts';

/** What one entry of the log is to watchers. */
export interface Batch {
  sequence: number;
  /** The entry's event type. */
  type: string;
  events: pb.RunEvent[];
}

/** 'over': the log was read to its end. 'lost': it goes on elsewhere. */
export type FeedEnd = 'over' | 'lost' | { error: unknown };

const KEPT = 1024;

export class RunFeed {
  /** By sequence modulo their number. */
  private readonly recent: Batch[] = [];
  private readonly waiting = new Set<() => void>();
  private last: number;
  private whenWanted: (() => void) | undefined;
  private ended: FeedEnd | undefined;

  /** @param after the first batch will be that of the entry after this one */
  constructor(
    private readonly after: number,
    private readonly kept = KEPT,
  ) {
    this.last = after;
  }

  get position(): number {
    return this.last;
  }

  get end(): FeedEnd | undefined {
    return this.ended;
  }

  push(batch: Batch): void {
    this.recent[batch.sequence % this.kept] = batch;
    this.last = batch.sequence;
    this.wake();
  }

  close(how: FeedEnd): void {
    this.ended ??= how;
    this.whenWanted?.();
    this.wake();
  }

  /** Whether a watcher that has everything before this entry can go on from here. */
  has(sequence: number): boolean {
    return this.ended === undefined && sequence > this.after && sequence > this.last - this.kept;
  }

  /** The entry's batch; undefined: it is not there yet, or not any more. */
  take(sequence: number): Batch | undefined {
    const batch = this.recent[sequence % this.kept];
    return batch?.sequence === sequence ? batch : undefined;
  }

  /** Until there is more, the feed ends or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.ended !== undefined) return;
    this.whenWanted?.();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Until somebody waits for more, or the feed ends. */
  async wanted(): Promise<void> {
    if (this.waiting.size > 0 || this.ended !== undefined) return;
    await new Promise<void>((resolve) => (this.whenWanted = resolve));
    this.whenWanted = undefined;
  }

  private wake(): void {
    for (const done of [...this.waiting]) done();
  }
}
