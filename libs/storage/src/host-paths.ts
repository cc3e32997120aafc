/** What paths of this host are to each other, and what this process may do there. */
import { accessSync, constants } from 'node:fs';

/** Whether `path` is `directory` or lies below it. Both normalised. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

/** Whether entries can be made in a directory. */
export function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
