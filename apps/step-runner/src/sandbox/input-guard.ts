/**
 * Notices that an input was changed while the tool ran, by the tool or by anybody else. Whatever the tool then made is of no input that anybody
 * knows, so that it is neither published nor used again.
 *
 * Invariants:
 *  1. A file is compared by identity, size and time of change; where the tool could write through its name, also by the time of any change
 *     of its inode, unless that is explained by a further link or other permissions.
 *  2. Of a directory so many entries are looked at, those nearest to it first. Where the tool could write, its own list of entries counts too.
 */
import { type BigIntStats, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeFailure } from '@weft/runtimes';
import { systemErrorCode } from '@weft/storage';
import type { StagingPlan } from './sandbox-layout.js';

export const WATCHED_ENTRIES = 1000;

interface Watched {
  uri: string;
  path: string;
  /** The tool cannot write to it by the name that it was given. */
  protectedByName: boolean;
  before: BigIntStats | undefined;
}

export class InputGuard {
  private constructor(private readonly watched: readonly Watched[]) {}

  /** As the inputs of a process are when they have been staged. @throws the system's error */
  static over(plan: Pick<StagingPlan, 'staged'>): InputGuard {
    const watched: Watched[] = [];
    for (const { taskPath, realPath, readOnlyName, inPlace, uri, copied } of plan.staged) {
      if (inPlace || realPath === undefined) continue;
      // Of a copy it is the copy that must be as it was: an output that is (in) an input is told to be the input.
      watch(copied === true ? taskPath : realPath, { uri, protectedByName: readOnlyName !== undefined }, watched);
    }
    return new InputGuard(watched);
  }

  /** @throws RuntimeFailure INPUT_CHANGED */
  check(): void {
    for (const { uri, path, before, protectedByName } of this.watched) {
      const what = changeOf(before, statsOf(path), protectedByName);
      if (what === undefined) continue;
      const who = protectedByName ? `the input ${uri} was changed while the tool ran` : `the tool changed its input ${uri}`;
      const where = uri.endsWith(path) ? '' : `, at ${path}`;
      const advice = 'Inputs are read-only; a tool that has to write into one stages it with InitialWorkDirRequirement and writable: true';
      throw new RuntimeFailure('INPUT_CHANGED', `${who} (${what}${where}): its results are not taken. ${advice}`, false);
    }
  }
}

function watch(top: string, how: { uri: string; protectedByName: boolean }, watched: Watched[]): void {
  const first = watched.length;
  const paths = [top];
  for (const path of paths) {
    const before = statsOf(path);
    // What is added to a directory that the tool cannot write to is none of its doing, and no input.
    if (before?.isDirectory() !== true || !how.protectedByName) watched.push({ ...how, path, before });
    if (before?.isDirectory() !== true) continue;
    for (const name of entriesOf(path)) if (paths.length < WATCHED_ENTRIES) paths.push(join(path, name));
    if (watched.length - first >= WATCHED_ENTRIES) return;
  }
}

function changeOf(before: BigIntStats | undefined, after: BigIntStats | undefined, protectedByName: boolean): string | undefined {
  if (before === undefined || after === undefined) return before === after ? undefined : after === undefined ? 'it is gone' : 'it appeared';
  if (before.dev !== after.dev || before.ino !== after.ino) return 'another one has taken its place';
  if (before.isFile() && before.size !== after.size) return `${before.size} bytes became ${after.size}`;
  if (before.mtimeNs !== after.mtimeNs) return before.isDirectory() ? 'entries were added or removed' : 'it was written to';
  if (protectedByName || before.ctimeNs === after.ctimeNs) return undefined;
  const explained = before.nlink !== after.nlink || before.mode !== after.mode || before.uid !== after.uid || before.gid !== after.gid;
  return explained ? undefined : 'it was written to, and its time of change was set back';
}

/** Undefined: it leads nowhere, or may not be looked at. */
function statsOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (['EACCES', 'ELOOP', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (['EACCES', 'ENOENT'].includes(systemErrorCode(error) ?? '')) return [];
    throw error;
  }
}
