/** What errors of runners mean for the attempt. */
import { isServiceError } from '@weft/platform';

/**
 * NOT_FOUND, FAILED_PRECONDITION: the runner has lost the attempt, or released it for a dispatcher that is about to answer, or died before it
 * could: only another attempt may give a result then.
 */
const RETRYABLE: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'RESOURCE_EXHAUSTED',
  'NOT_FOUND',
  'FAILED_PRECONDITION',
]);

/** The runner was not reached, and may be back. */
export const AWAY: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED']);

/** A runner that cannot be reached may be back, or another may take the task. */
export function isRetryable(error: unknown): boolean {
  if (isServiceError(error)) return RETRYABLE.has(error.code);
  return (error as { retryable?: unknown }).retryable === true;
}
