/** What an S3 server or the way to it said → StorageError. Looks at structure only. */
import { StorageError, type StorageErrorCode } from '../ports.js';
import { messageOf } from '../system-error.js';

const CODES: Record<string, StorageErrorCode> = {
  NoSuchKey: 'NOT_FOUND',
  NotFound: 'NOT_FOUND',
  NoSuchBucket: 'NOT_FOUND',
  NoSuchUpload: 'IO',
  AccessDenied: 'ACCESS',
  Forbidden: 'ACCESS',
  InvalidAccessKeyId: 'ACCESS',
  SignatureDoesNotMatch: 'ACCESS',
  ExpiredToken: 'ACCESS',
  AuthorizationHeaderMalformed: 'ACCESS',
  CredentialsProviderError: 'ACCESS',
  PreconditionFailed: 'CHANGED',
  BadDigest: 'CHECKSUM',
  InvalidDigest: 'CHECKSUM',
  XAmzContentSHA256Mismatch: 'CHECKSUM',
};
const STATUSES: Record<number, StorageErrorCode> = { 401: 'ACCESS', 403: 'ACCESS', 404: 'NOT_FOUND', 412: 'CHANGED' };

/** The server's status; undefined where it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const metadata = typeof error === 'object' && error !== null && '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number'
    ? metadata.httpStatusCode
    : undefined;
}

export function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : '';
}

export function toS3Error(error: unknown, uri: string): StorageError {
  if (nameOf(error) === 'StorageError') return error as StorageError;
  const [name, status] = [nameOf(error), statusOf(error)];
  const code = CODES[name] ?? (status === undefined ? undefined : STATUSES[status]) ?? 'IO';
  const text = messageOf(error);
  const why = [name, text].filter((part) => part !== '' && part !== 'UnknownError' && part !== 'Error').join(': ');
  switch (code) {
    case 'NOT_FOUND':
      return new StorageError(
        code,
        name === 'NoSuchBucket' ? `${uri} does not exist: there is no such bucket` : `${uri} does not exist`,
        uri,
      );
    case 'ACCESS':
      return new StorageError(code, `${uri} may not be accessed (${why || status})`, uri);
    case 'CHANGED':
      return new StorageError(code, `${uri} has changed`, uri);
    case 'CHECKSUM':
      return new StorageError(code, `${uri}: what arrived is not what was sent (${why})`, uri);
    default:
      return new StorageError('IO', `${uri}: ${why || `the server answered ${status}`}`, uri);
  }
}
