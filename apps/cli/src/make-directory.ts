/**
 * A directory with those above it that are missing, while other commands make the same ones.
 * Node's own `recursive` tries for ever where a directory refuses to have new ones, as /proc does.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const makeOne = (directory: string): void => void mkdirSync(directory, { mode: 0o700 });

/** @param make one directory; @throws the system's error */
export function makeWithParents(directory: string, make: (directory: string) => void = makeOne, isAgain = false): void {
  try {
    make(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(directory).isDirectory()) return;
    // Where what is above it is there now, somebody has made it meanwhile, or it refuses: then it does so again.
    if (code !== 'ENOENT' || isAgain) throw error;
    if (!existsSync(dirname(directory))) makeWithParents(dirname(directory), make);
    makeWithParents(directory, make, true);
  }
}
