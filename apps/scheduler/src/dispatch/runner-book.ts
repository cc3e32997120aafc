/**
 * What is known to be held on one runner: by this scheduler exactly, by others as far as heartbeats prove it.
 */
import type { RunnerAmounts, RunnerRecord } from '@weft/registry';
import { combine, NOTHING } from './runner-choice.js';

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
}

export function newBook(): Book {
  const amounts = { own: NOTHING, peak: NOTHING, foreign: NOTHING };
  return { ...amounts, placements: 0, seenMs: undefined, absentSinceMs: undefined, lost: new AbortController() };
}

export function heard(book: Book, { load, lastSeenMs }: RunnerRecord): void {
  book.absentSinceMs = undefined;
  if (book.seenMs === lastSeenMs) return;
  book.seenMs = lastSeenMs;
  book.foreign = combine(load.inUse, book.peak, (reported, ours) => Math.max(0, reported - ours));
  book.peak = book.own;
}

export function hold(book: Book, need: RunnerAmounts): void {
  book.own = combine(book.own, need, (held, more) => held + more);
  book.peak = combine(book.peak, book.own, Math.max);
  book.placements += 1;
}

export function giveBack(book: Book, need: RunnerAmounts): void {
  book.placements -= 1;
  // Sums of fractions leave rounding errors behind.
  book.own = book.placements === 0 ? NOTHING : combine(book.own, need, (held, less) => held - less);
}
