/**
 * When a program that died is started again: with growing delays, and not for ever.
 */
export interface RestartPolicy {
  firstDelayMs: number;
  maxDelayMs: number;
  /** More deaths than this inside the window mean that starting it again is no help. */
  maxDeaths: number;
  windowMs: number;
}

export const RESTARTS: RestartPolicy = { firstDelayMs: 100, maxDelayMs: 5_000, maxDeaths: 5, windowMs: 60_000 };

/** `deaths`: times of all deaths so far (ms, ascending), the last one being the one to decide about. Undefined: give up. */
export function restartDelay(deaths: readonly number[], policy: RestartPolicy = RESTARTS): number | undefined {
  const last = deaths.at(-1);
  if (last === undefined) return 0;
  const recent = deaths.filter((at) => last - at <= policy.windowMs).length;
  if (recent > policy.maxDeaths) return undefined;
  return Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (recent - 1));
}
