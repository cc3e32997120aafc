/** A request that no store can serve (a page token or cursor it never gave out, a limit out of range). Its shape is that of a service error. */
export class InvalidRequestError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'INVALID_ARGUMENT';
}

/** An idempotency key that was used for something else before. Its shape is that of a service error. */
export class IdempotencyConflictError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'ALREADY_EXISTS';
  constructor(key: string, runId: string) {
    super(`the idempotency key '${key}' was used for another submission before, run ${runId}; a new submission needs a new key`);
  }
}
