/** Callers that wait as long as a busy service asks them to, and try again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isServiceError } from './service-error.js';

export interface RetryAfterOptions {
  signal?: AbortSignal;
  /** Told before each wait. */
  onWait?: (waitMs: number, why: string) => void;
}

/**
 * The call's answer, however often the service says that it is full and when to come again (RESOURCE_EXHAUSTED with `retryAfterMs`).
 * Every other error is the caller's, and so is the abort of the signal. The call must be safe to repeat.
 */
export async function retryWhenTold<T>(call: () => Promise<T>, { signal, onWait }: RetryAfterOptions = {}): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isServiceError(error) || error.code !== 'RESOURCE_EXHAUSTED' || error.retryAfterMs === undefined) throw error;
      onWait?.(error.retryAfterMs, error.message);
      await sleep(error.retryAfterMs, undefined, { signal });
    }
  }
}
