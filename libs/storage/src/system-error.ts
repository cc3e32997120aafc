/**
 * Reads the errno name off whatever a file system call threw, and turns it into a StorageError.
 * Looks at structure only: errors of node:fs may come from another realm, where `instanceof` lies.
 */
import { StorageError } from './ports.js';

/** `ENOENT`, `EXDEV`, …; undefined where the value is not a system error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Of a file system that is full, or somebody's share of it. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemErrorCode(error) ?? '');
}

/** What an error says, or whatever else was thrown. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}

export function toStorageError(error: unknown, uri: string): StorageError {
  if (error instanceof StorageError) return error;
  if (isFull(error)) return new StorageError('FULL', `${uri}: ${messageOf(error)}`, uri);
  const code = systemErrorCode(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new StorageError('NOT_FOUND', `${uri} does not exist`, uri);
    case 'EACCES':
    case 'EPERM':
      return new StorageError('ACCESS', `${uri} may not be accessed (${code})`, uri);
    case 'EISDIR':
      return new StorageError('UNSUPPORTED', `${uri} is a directory, not a file`, uri);
    default: {
      // Links that lead to themselves: another try would meet them again.
      return new StorageError(code === 'ELOOP' ? 'UNSUPPORTED' : 'IO', `${uri}: ${messageOf(error)}`, uri);
    }
  }
}
