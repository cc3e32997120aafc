/**
 * A folder of one command's own, below TMPDIR as the shell has it: what services need lies below WEFT_HOME (stack/temporary.ts).
 *
 * Invariant: a TMPDIR that cannot be used is said, with what to do; it outlives the scratch of a batch job in many a shell.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from './errors.js';

/** @throws CommandError */
export function makeTemporaryFolder(prefix: string, base = tmpdir()): string {
  try {
    return mkdtempSync(join(base, prefix));
  } catch (error) {
    throw new CommandError(`no temporary folder can be made in ${base}: ${reasonOf(error)}; set TMPDIR to a directory that you may write`);
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it is no directory',
  EACCES: 'you may not write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its file system is full',
};

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
