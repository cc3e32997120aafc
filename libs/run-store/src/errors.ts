/** A request that no store can serve (a page token or cursor it never gave out, a limit out of range). Its shape is that of a service error. */
export class InvalidRequestError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'INVALID_ARGUMENT';
}
