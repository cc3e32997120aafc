/**
 * Moves runs that ended a retention time ago out of the live store: what they published that nobody refers to is removed, then they go to the
 * archive.
 *
 * Invariants:
 *  1. The owner of a partition moves its runs, under its lease; who lost the lease moves nothing.
 *  2. One timer, for the run that is due first: nothing is asked again and again.
 *  3. Whatever fails is done again, from the start, after a while.
 */
import type { Logger } from '@weft/platform';
import { archiveRun, type Lease, type RunArchive, type RunStore } from '@weft/run-store';
import pLimit from 'p-limit';
import type { Clock } from '../kernel/clock.js';

/** Runs looked at together, per partition. */
const BATCH = 100;
/** Runs on their way at once: they wait for the disk. */
const AT_ONCE = 8;
const AGAIN_MS = 30_000;
/** Longest delay a Node timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface RetentionKeeperDeps {
  store: Pick<RunStore, 'log' | 'retention'>;
  archive: RunArchive;
  /** Leases that this replica holds. */
  leases(): Lease[];
  /** Removes what a run published and nobody refers to any more; comes before the run goes. */
  clear(runId: string): Promise<void>;
  retentionMs: number;
  clock: Clock;
  logger: Logger;
}

export class RetentionKeeper {
  private readonly limit = pLimit(AT_ONCE);
  private stopTimer = (): void => undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;
  private working: Promise<void> | undefined;
  /** Runs that this replica has moved to the archive. */
  archived = 0;
  private again = false;
  private closed = false;

  constructor(private readonly deps: RetentionKeeperDeps) {}

  /** Something may be due that was not known of: partitions came, or a run ended. */
  look(): void {
    if (this.closed) return;
    this.again = true;
    this.working ??= this.work().finally(() => (this.working = undefined));
  }

  /** A run's end is in the log, since then at the earliest. */
  endedAt(atMs: number): void {
    this.lookAt(atMs + this.deps.retentionMs);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.working) await this.working;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stopTimer();
    await this.idle();
  }

  private lookAt(atMs: number): void {
    if (this.closed || atMs >= this.timerAtMs) return;
    this.stopTimer();
    this.timerAtMs = atMs;
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(0, atMs - this.deps.clock.now()));
    this.stopTimer = this.deps.clock.after(delayMs, () => {
      this.timerAtMs = Number.POSITIVE_INFINITY;
      this.look();
    });
  }

  private async work(): Promise<void> {
    while (this.again && !this.closed) {
      this.again = false;
      const looks = await Promise.allSettled(this.deps.leases().map((lease) => this.moveDue(lease)));
      const failed = looks.find((look) => look.status === 'rejected');
      if (!failed) continue;
      this.deps.logger.error({ err: failed.reason }, 'finished runs not archived; trying again');
      this.lookAt(this.deps.clock.now() + AGAIN_MS);
    }
  }

  /** Moves all runs of a partition that are due, and sees to it that the next one is looked at when it is. */
  private async moveDue(lease: Lease): Promise<void> {
    const { store, clock, retentionMs } = this.deps;
    while (!this.closed) {
      const ended = await store.retention.ended(lease.partition, BATCH);
      const untilMs = clock.now() - retentionMs;
      const due = ended.filter(({ endedAtMs }) => endedAtMs <= untilMs);
      const next = ended[due.length];
      if (next) this.lookAt(next.endedAtMs + retentionMs);
      if (due.length === 0) return;
      const moved = await Promise.all(due.map(({ runId }) => this.limit(() => this.move(lease, runId))));
      if (moved.includes('fenced')) return;
      // A log that got another line while it was read: it is quiet soon.
      if (moved.includes('changed')) this.lookAt(clock.now() + AGAIN_MS);
      if (!moved.includes('evicted')) return;
    }
  }

  private async move(lease: Lease, runId: string): Promise<Awaited<ReturnType<typeof archiveRun>>> {
    if (this.closed) return 'fenced';
    try {
      await this.deps.clear(runId);
      const moved = await archiveRun(this.deps.store, this.deps.archive, lease, runId);
      if (moved === 'evicted') this.archived += 1;
      return moved;
    } catch (error) {
      // The others go on, and it is tried again.
      this.deps.logger.error({ err: error, runId }, 'finished run not archived; trying again');
      return 'changed';
    }
  }
}
