/**
 * What a run's tasks see of whoever submitted it, checked.
 *
 * Invariants:
 *  1. What is stored with the run and travels with each of its jobs has a limit.
 *  2. A PATH names absolute directories only: what is relative would mean the task's own working directory.
 *  3. The umask leaves the owner's rights alone: the runner has to read what its tasks write.
 */
import type { scheduler } from '@weft/contracts';
import type { Caller } from '@weft/engine';
import { ServiceError } from '@weft/platform';

const MAX_PATH_BYTES = 32 * 1024;
const MAX_VARIABLES_BYTES = 96 * 1024;
/** Rights of group and others. */
const OTHERS = 0o077;

/** @throws ServiceError INVALID_ARGUMENT */
export function callerOf({ path, umask, environment }: scheduler.Caller): Caller {
  checkPath(path);
  checkVariables(environment);
  if (umask !== undefined && umask > 0o777) throw refused(`umask is ${umask}; it goes from 0 to 511 (0777)`);
  return {
    ...(path !== '' && { path }),
    ...(umask !== undefined && { umask: umask & OTHERS }),
    ...(Object.keys(environment).length > 0 && { environment }),
  };
}

function checkPath(path: string): void {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refused(`path has ${Buffer.byteLength(path)} bytes; ${MAX_PATH_BYTES} are allowed`);
  if (path.includes('\0')) throw refused('path holds a NUL character');
  const relative = path === '' ? undefined : path.split(':').find((directory) => !directory.startsWith('/'));
  if (relative !== undefined) throw refused(`path names ${JSON.stringify(relative)}, which is not absolute`);
}

function checkVariables(environment: Record<string, string>): void {
  const pairs = Object.entries(environment);
  const bad = pairs.find(([name, value]) => !/^[^=\0]+$/.test(name) || value.includes('\0'));
  if (bad !== undefined) throw refused(`${JSON.stringify(bad[0])} is no name of a variable, or its value holds a NUL character`);
  const bytes = pairs.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > MAX_VARIABLES_BYTES)
    throw refused(`variables have ${bytes} bytes together; ${MAX_VARIABLES_BYTES} are allowed: preserve those by name that the tools need`);
}

function refused(why: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', `options.caller: ${why}`);
}
