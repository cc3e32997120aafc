/** What keeps outputs from being delivered: one sentence, with the path it is about. Structural, because errors of node:fs cross realms under Jest. */
import { CommandError } from '../errors.js';
import { shownLine } from '../shown-text.js';

export class DeliveryError extends CommandError {
  override readonly name = 'DeliveryError';
}

export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Nothing lies there. Every other error leaves open what does. */
export function isNotThere(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(codeOf(error));
}

/** What the system said of a path, in words. */
export function whatSystemSaid(error: unknown, path: string): string {
  const shown = shownLine(path);
  const code = codeOf(error);
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `you may not write in ${shown}`;
    case 'EROFS':
      return `${shown} is on a file system that is read-only`;
    case 'ENOSPC':
      return `the file system of ${shown} is full`;
    case 'EDQUOT':
      return `your quota on the file system of ${shown} is used up`;
    case 'ENOENT':
      return `nothing can be made in ${shown}`;
    case 'ENOTDIR':
      return `${shown} is not a folder`;
    case 'ELOOP':
      return `${shown} is a loop of links`;
    case 'ENAMETOOLONG':
      return `a name in ${shown} is too long for the file system`;
    case 'EMFILE':
    case 'ENFILE':
      return `too many files are open (ulimit -n)`;
    default:
      return `${shown}: ${code === '' ? messageOf(error) : code}`;
  }
}

export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
