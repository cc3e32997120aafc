/**
 * When a program that died is started again: with growing delays, and not for ever.
 */
export interface RestartPolicy {
  firstDelayMs: number;
  maxDelayMs: number;
  /** More deaths in a row than this mean that starting it again is no help. */
  maxDeaths: number;
  /** A death is in a row with the one before it where no more than this lies between them. */
  rowMs: number;
}

export const RESTARTS: RestartPolicy = { firstDelayMs: 100, maxDelayMs: 5_000, maxDeaths: 5, rowMs: 30_000 };

/** `deaths`: times of all deaths so far (ms, ascending), the last one being the one to decide about. Undefined: give up. */
export function restartDelay(deaths: readonly number[], policy: RestartPolicy = RESTARTS): number | undefined {
  if (deaths.length === 0) return 0;
  let row = 1;
  while (row < deaths.length && deaths[deaths.length - row]! - deaths[deaths.length - row - 1]! <= policy.rowMs) row += 1;
  if (row > policy.maxDeaths) return undefined;
  return Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (row - 1));
}
