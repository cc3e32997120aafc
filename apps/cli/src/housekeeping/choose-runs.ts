/**
 * Which finished runs go. Pure.
 *
 * Invariants:
 *  1. Of runs that meet every condition, those that ended last are kept, `keep` of them; no other goes.
 *  2. With `size`, no more go than are needed for the rest to be no larger, the first to have ended first.
 */
export interface FinishedRun {
  runId: string;
  state: string;
  finishedAtMs: number;
  bytes: number;
}

export interface Conditions {
  olderThanMs?: number;
  keep?: number;
  largerThan?: number;
  states?: readonly string[];
  /** In sum, what may stay. */
  size?: number;
}

export function chooseRuns(runs: readonly FinishedRun[], conditions: Conditions, nowMs: number): FinishedRun[] {
  const { olderThanMs, keep = 0, largerThan, states, size } = conditions;
  const newestFirst = [...runs].sort((a, b) => b.finishedAtMs - a.finishedAtMs || (a.runId < b.runId ? 1 : -1));
  const chosen = newestFirst
    .filter(({ state }) => states === undefined || states.includes(state))
    .filter(({ finishedAtMs }) => olderThanMs === undefined || finishedAtMs <= nowMs - olderThanMs)
    .filter(({ bytes }) => largerThan === undefined || bytes > largerThan)
    .slice(keep)
    .reverse();
  if (size === undefined) return chosen;
  let left = runs.reduce((sum, { bytes }) => sum + bytes, 0);
  const gone: FinishedRun[] = [];
  for (const run of chosen) {
    if (left <= size) break;
    gone.push(run);
    left -= run.bytes;
  }
  return gone;
}
