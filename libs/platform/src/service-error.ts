/**
 * The one error that crosses a service boundary on purpose. Its code is the gRPC status name; it is mapped once to gRPC
 * (grpc-errors.ts) and once to HTTP (here).
 *
 * Invariants: whether something is a ServiceError is decided by its shape (`name`, `code`), never by `instanceof`, because errors
 * come from other realms and from second copies of this module.
 */
import type { run } from '@weft/contracts';

/** gRPC status names; UNKNOWN and DATA_LOSS, which say nothing a caller could act on, arrive as INTERNAL. */
export const SERVICE_ERROR_CODES = [
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'FAILED_PRECONDITION',
  'ALREADY_EXISTS',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'UNIMPLEMENTED',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'OUT_OF_RANGE',
  'ABORTED',
  'INTERNAL',
] as const;

export type ServiceErrorCode = (typeof SERVICE_ERROR_CODES)[number];

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** When the same call may succeed, milliseconds from now. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ServiceErrorCode,
    message: string,
    readonly diagnostics?: run.Diagnostic[],
    options?: ErrorOptions & { retryAfterMs?: number },
  ) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

const HTTP_STATUS: Record<ServiceErrorCode, number> = {
  INVALID_ARGUMENT: 400,
  NOT_FOUND: 404,
  FAILED_PRECONDITION: 409,
  ALREADY_EXISTS: 409,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  UNIMPLEMENTED: 501,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
  CANCELLED: 499,
  OUT_OF_RANGE: 400,
  ABORTED: 409,
  INTERNAL: 500,
};

export function httpStatusOf(code: ServiceErrorCode): number {
  return HTTP_STATUS[code];
}

export function isServiceError(error: unknown): error is ServiceError {
  if (!isRecord(error) || error['name'] !== 'ServiceError' || typeof error['message'] !== 'string') return false;
  return (SERVICE_ERROR_CODES as readonly unknown[]).includes(error['code']);
}

/**
 * What Redis answers, as the first word of an error, where it does not serve at present: it cannot write its files, is full, loads, or is no master
 * (any more). EXECABORT is said of a transaction that held such a command.
 */
const NOT_NOW = new Set(['MISCONF', 'EXECABORT', 'OOM', 'LOADING', 'READONLY', 'NOREPLICAS', 'CLUSTERDOWN', 'MASTERDOWN', 'TRYAGAIN']);
const LONGEST_REASON = 300;

/** The word, where it is one of these. */
function redisRefusal(error: unknown): string | undefined {
  if (!isRecord(error) || error['name'] !== 'ReplyError' || typeof error['message'] !== 'string') return undefined;
  const [word = ''] = error['message'].split(' ', 1);
  return NOT_NOW.has(word) ? word : undefined;
}

/**
 * Any thrown value as a ServiceError: itself, an abort as CANCELLED, a timeout as DEADLINE_EXCEEDED, a Redis that does not serve at present as
 * UNAVAILABLE, everything else as INTERNAL.
 */
export function toServiceError(error: unknown): ServiceError {
  if (isServiceError(error)) return error;
  const name = isRecord(error) ? error['name'] : undefined;
  const message = isRecord(error) && typeof error['message'] === 'string' ? error['message'] : String(error);
  const refusal = redisRefusal(error);
  if (refusal !== undefined) {
    const said = message.length > LONGEST_REASON ? `${message.slice(0, LONGEST_REASON)}…` : message;
    return new ServiceError('UNAVAILABLE', `Redis takes nothing at present (${refusal}); try again. It says: ${said}`, undefined, {
      cause: error,
    });
  }
  const code = name === 'AbortError' ? 'CANCELLED' : name === 'TimeoutError' ? 'DEADLINE_EXCEEDED' : 'INTERNAL';
  return new ServiceError(code, message, undefined, { cause: error });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
