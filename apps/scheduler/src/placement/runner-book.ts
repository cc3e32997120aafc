/**
 * What is known to be held on one runner: by this scheduler exactly, by others as far as heartbeats prove it; and what was placed ahead of
 * its room.
 *
 * Invariant: what is ahead gets room in the order in which it came, before anything that is placed later (the runner admits in that order).
 */
import type { RunnerAmounts, RunnerRecord } from '@weft/registry';
import { RecentCount } from '../kernel/recent-count.js';
import { combine, fits, NOTHING } from './runner-choice.js';

/** What one placement needs. */
export interface Share {
  need: RunnerAmounts;
}

export interface Book {
  own: RunnerAmounts;
  /** The most that `own` was since the last heartbeat that is known here: no less than what that one counted of ours. */
  peak: RunnerAmounts;
  /** What others hold at least: what the last heartbeat counted, less `peak`. */
  foreign: RunnerAmounts;
  seenMs: number | undefined;
  absentSinceMs: number | undefined;
  lost: AbortController;
  placements: number;
  /** Placed before there was room; holds nothing yet. Oldest first. */
  ahead: Set<Share>;
  /** Placements that came to their end lately: whether it is worth to be ahead here. */
  ended: RecentCount;
}

/** What ends within so many milliseconds is worth to be waited for at the runner. */
const SOON_MS = 250;

export function newBook(nowMs: () => number): Book {
  return {
    ...{ own: NOTHING, peak: NOTHING, foreign: NOTHING, placements: 0, ahead: new Set<Share>(), ended: new RecentCount(SOON_MS, nowMs) },
    ...{ seenMs: undefined, absentSinceMs: undefined, lost: new AbortController() },
  };
}

export function heard(book: Book, { load, lastSeenMs }: RunnerRecord): void {
  book.absentSinceMs = undefined;
  if (book.seenMs === lastSeenMs) return;
  book.seenMs = lastSeenMs;
  book.foreign = combine(load.inUse, book.peak, (reported, ours) => Math.max(0, reported - ours));
  book.peak = book.own;
}

export function hold(book: Book, { need }: Share): void {
  book.own = combine(book.own, need, (held, more) => held + more);
  book.peak = combine(book.peak, book.own, Math.max);
  book.placements += 1;
}

/** The placement is over, whether it had room or was still ahead. */
export function giveBack(book: Book, share: Share): void {
  if (book.ahead.delete(share)) return;
  book.ended.add();
  book.placements -= 1;
  // Sums of fractions leave rounding errors behind.
  book.own = book.placements === 0 ? NOTHING : combine(book.own, share.need, (held, less) => held - less);
}

/** Gives room to what is ahead, as far as there is some. */
export function advance(book: Book, capacity: RunnerAmounts): void {
  for (const share of book.ahead) {
    if (!fits(share.need, book.own, capacity)) return;
    book.ahead.delete(share);
    hold(book, share);
  }
}
