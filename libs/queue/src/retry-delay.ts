/** How long a job that its handler rejected waits: what the error says, else back-off. */

const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/** `rejections` counts from 1. `{ retryAfterMs: 0 }` = at once. */
export function retryDelayMs(error: unknown, rejections: number): number {
  const asked = typeof error === 'object' && error !== null ? (error as { retryAfterMs?: unknown }).retryAfterMs : undefined;
  if (typeof asked === 'number' && asked >= 0) return Math.round(asked);
  return Math.min(FIRST_MS * 2 ** Math.min(rejections - 1, 20), LONGEST_MS);
}
