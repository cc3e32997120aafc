/** What errors of runners mean for the attempt. */
import { isServiceError } from '@weft/platform';

/** The runner has lost the attempt, or released it for a dispatcher that is about to answer, or that died before it could. */
export const CONCLUDED: ReadonlySet<string> = new Set(['NOT_FOUND', 'FAILED_PRECONDITION']);

/** Where nobody answers for an attempt that is concluded, only another attempt may give a result. */
const RETRYABLE: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', ...CONCLUDED]);

/** The runner was not reached, and may be back. */
export const AWAY: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED']);

/** A runner that cannot be reached may be back, or another may take the task. */
export function isRetryable(error: unknown): boolean {
  if (isServiceError(error)) return RETRYABLE.has(error.code);
  return (error as { retryable?: unknown }).retryable === true;
}
