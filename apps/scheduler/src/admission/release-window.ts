/**
 * How many tasks of a pool may lie released and not yet started: what its runners could begin at once, and as many as were begun in the
 * last quarter of a second. So short tasks keep everything busy, while long ones are decided upon only when there is room for them.
 *
 * Invariant: the window is never smaller than one task; it needs no timer.
 */
import { RecentCount } from '../kernel/recent-count.js';

export interface ReleaseWindow {
  /** A task was started, or ended without a start. */
  started(): void;
  /** @param part of what the runners could begin at once that is this replica's, greater than 0; default: all */
  size(part?: number): number;
}

const HORIZON_MS = 250;
/** Enough to keep a small machine busy while the window learns how short the tasks are. */
const LEAST = 4;

/** What a pool could begin at once: a task per core, but no more than one replica looks at together. */
export function startableTasks(cores: number, dispatchConcurrency: number): number {
  return Math.max(LEAST, Math.min(Math.ceil(cores), dispatchConcurrency));
}

export function createReleaseWindow(floor: () => number, nowMs: () => number): ReleaseWindow {
  const begun = new RecentCount(HORIZON_MS, nowMs);
  return {
    started: () => begun.add(),
    size: (part = 1) => Math.ceil(floor() * part) + begun.value,
  };
}
