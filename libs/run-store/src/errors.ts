/** What lies in the store was written by a version that is not compatible. Its shape is that of a service error. */
export class IncompatibleStoreError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'FAILED_PRECONDITION';
  constructor(found: string, ours: number) {
    super(
      `the runs in Redis are of format ${found}, and this version of weft reads format ${ours}: ` +
        'use the version that wrote them until its runs have ended, or give this one a Redis of its own',
    );
  }
}

/** A request that no store can serve (a page token or cursor it never gave out, a limit out of range). Its shape is that of a service error. */
export class InvalidRequestError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'INVALID_ARGUMENT';
}

/** What the store has of a run is not what was written there. Its shape is that of a service error. */
export class UnreadableRunError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'INTERNAL';
  constructor(runId: string, why: string) {
    super(`run ${runId} cannot be read: ${why}`);
  }
}

/** What came by a channel, or lies in a stream or queue, is none of ours. */
export class ForeignMessageError extends Error {
  override readonly name = 'ForeignMessageError';
}

/** An idempotency key that was used for something else before. Its shape is that of a service error. */
export class IdempotencyConflictError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'ALREADY_EXISTS';
  constructor(key: string, runId: string) {
    super(`the idempotency key '${key}' was used for another submission before, run ${runId}; a new submission needs a new key`);
  }
}
