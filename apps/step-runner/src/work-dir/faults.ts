/**
 * What is wrong with something that a task left, and what that means: for whoever asked, and whether the task is worth another try. The one place
 * that decides the latter, by the type of the error: what a tool has left stays as it is, and only what the machine did may pass.
 */
import { ServiceError, type ServiceErrorCode } from '@weft/platform';
import { RuntimeFailure } from '@weft/runtimes';
import { isFull, messageOf, NotPlainError, StorageError, type StorageErrorCode, systemErrorCode } from '@weft/storage';
import { fullWords } from '../disk/disks.js';

export type FaultKind =
  /** There is nothing at that name (any more). */
  | 'MISSING'
  /** It leads out of the working directory and the inputs. */
  | 'OUTSIDE'
  /** It is neither a file nor a directory, or the wrong one of them. */
  | 'KIND'
  /** Links that lead in a circle. */
  | 'LOOP'
  /** A name that is no UTF-8. */
  | 'NAME'
  /** Too many entries, too deep, too long. */
  | 'LIMIT'
  /** The runner may not look at it. */
  | 'UNREADABLE';

export class WorkTreeError extends Error {
  override readonly name = 'WorkTreeError';
  constructor(
    readonly kind: FaultKind,
    message: string,
  ) {
    super(message);
  }
}

const REFUSED: Record<FaultKind, ServiceErrorCode> = {
  MISSING: 'INVALID_ARGUMENT',
  OUTSIDE: 'PERMISSION_DENIED',
  KIND: 'INVALID_ARGUMENT',
  LOOP: 'INVALID_ARGUMENT',
  NAME: 'INVALID_ARGUMENT',
  LIMIT: 'INVALID_ARGUMENT',
  UNREADABLE: 'PERMISSION_DENIED',
};

/** Stops compiling where storage learns to say something else. */
const PUBLISHED: Record<StorageErrorCode, ServiceErrorCode> = {
  IO: 'UNAVAILABLE',
  FULL: 'RESOURCE_EXHAUSTED',
  CHECKSUM: 'UNAVAILABLE',
  CHANGED: 'INVALID_ARGUMENT',
  NOT_FOUND: 'INVALID_ARGUMENT',
  ACCESS: 'PERMISSION_DENIED',
  UNSUPPORTED: 'INVALID_ARGUMENT',
  TOO_LARGE: 'INVALID_ARGUMENT',
};

/** What the machine did, and may not do the next time. */
const PASSING = new Set(['EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'EINTR', 'ETIMEDOUT', 'ESTALE', 'EREMOTEIO']);

/** The system's error about an entry that a task left, as what is wrong with it; undefined: it says nothing about the entry. */
export function faultOf(error: unknown, shown: string): WorkTreeError | undefined {
  if (error instanceof WorkTreeError) return error;
  if (error instanceof NotPlainError) return new WorkTreeError('KIND', `'${shown}' is ${error.nature}`);
  switch (systemErrorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new WorkTreeError('MISSING', `'${shown}' does not exist`);
    case 'ELOOP':
      return new WorkTreeError('LOOP', `'${shown}' goes through symbolic links without end`);
    case 'ENAMETOOLONG':
      return new WorkTreeError('LIMIT', `'${short(shown)}' is nested too deep: its path is longer than the system takes`);
    case 'EACCES':
    case 'EPERM':
      return new WorkTreeError('UNREADABLE', `'${shown}' may not be read by the runner`);
    default:
      return undefined;
  }
}

/** Of collecting `shown`. */
export function collectError(error: unknown, shown: string): unknown {
  if (error instanceof ServiceError) return error;
  if (error instanceof StorageError) return new ServiceError(PUBLISHED[error.code], `cannot publish '${short(shown)}': ${error.message}`);
  const fault = faultOf(error, shown);
  if (fault !== undefined) return new ServiceError(REFUSED[fault.kind], fault.message);
  const code = systemErrorCode(error) ?? '';
  if (isFull(error)) return new ServiceError('RESOURCE_EXHAUSTED', `'${short(shown)}' cannot be published: ${fullWords(error)}`);
  return PASSING.has(code) ? new ServiceError('UNAVAILABLE', `cannot collect '${short(shown)}': ${messageOf(error)}`) : error;
}

/** Of an attempt that could not be brought to its end. */
export function attemptFailure(error: unknown): { code: string; message: string; retryable: boolean } {
  if (error instanceof RuntimeFailure) return { code: error.code, message: error.message, retryable: error.retryable };
  if (error instanceof WorkTreeError)
    return {
      code: REFUSED[error.kind] === 'PERMISSION_DENIED' ? 'OUTPUT_ACCESS' : 'OUTPUT_FILE',
      message: error.message,
      retryable: false,
    };
  const code = systemErrorCode(error);
  if (isFull(error)) return { code: 'DISK_FULL', message: `${fullWords(error)} (${messageOf(error)})`, retryable: true };
  // What is none of the system's errors is a fault of ours, or an engine's: nobody knows what another try would do.
  return { code: 'INTERNAL', message: messageOf(error), retryable: code === undefined || PASSING.has(code) };
}

/** For messages: paths may be as long as a task likes. */
export function short(path: string): string {
  return path.length <= 200 ? path : `${path.slice(0, 100)}…${path.slice(-99)}`;
}
