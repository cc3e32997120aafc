/** What errors of runners mean for the attempt. */
import { isFromPeer, isServiceError, type ServiceErrorCode } from '@weft/platform';
import { TaskError } from '@weft/tasks';

/** The runner has lost the attempt, or released it for a dispatcher that is about to answer, or that died before it could. */
export const CONCLUDED: ReadonlySet<string> = new Set(['NOT_FOUND', 'FAILED_PRECONDITION']);

/** Where nobody answers for an attempt that is concluded, only another attempt may give a result. */
const RETRYABLE: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', ...CONCLUDED]);

/** The runner was not reached, and may be back. */
export const AWAY: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED']);

/** What a runner refuses to collect stays as the tool left it: a failure of the task, and for good. */
const REFUSED: Readonly<Partial<Record<ServiceErrorCode, string>>> = {
  PERMISSION_DENIED: 'OUTPUT_ACCESS',
  INVALID_ARGUMENT: 'OUTPUT_FILE',
  OUT_OF_RANGE: 'OUTPUT_FILE',
};

/** An error of Collect, in the words of the task where it is about what the task left, or about a disk that had no room for it. */
export function collectFailure(error: unknown): unknown {
  // The transport has that word for an answer that is too large, too.
  if (isServiceError(error) && error.code === 'RESOURCE_EXHAUSTED' && isFromPeer(error.cause))
    return Object.assign(new Error(error.message, { cause: error }), { code: 'DISK_FULL', retryable: true });
  const code = isServiceError(error) ? REFUSED[error.code] : undefined;
  return code === undefined ? error : new TaskError(code, (error as Error).message);
}

/** A runner that cannot be reached may be back, or another may take the task. */
export function isRetryable(error: unknown): boolean {
  if (isServiceError(error)) return RETRYABLE.has(error.code);
  return (error as { retryable?: unknown }).retryable === true;
}
