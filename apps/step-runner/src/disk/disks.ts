/** How full disks are, and what a task holds of one. */
import { execFile } from 'node:child_process';
import { statSync, statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { openAndRemoved } from './open-and-removed.js';
import type { Place } from './place.js';
import { type Holding, mebibytes, type Space } from './reserve.js';

/** For one look at the sandboxes of all tasks. */
const MEASURE_LIMIT_MS = 20_000;

export interface Disks {
  spaceNow(path: string): Space;
  space(path: string): Promise<Space>;
  /** What each task holds. What cannot be looked at, or not within a limit, holds nothing. */
  held(tasks: readonly Place[]): Promise<Holding[]>;
}

export const systemDisks: Disks = {
  spaceNow: (path) => spaceOf(statfsSync(path)),
  space: async (path) => spaceOf(await statfs(path)),
  held: async (tasks) => {
    // Follows no link, goes by handles, and is a process that can be ended: tasks change what is measured.
    const named = await du(tasks.map(({ directory }) => directory));
    const unnamed = openAndRemoved(tasks);
    return tasks.map(({ key, directory }) => ({ key, heldBytes: (named.get(directory) ?? 0) + (unnamed.get(key) ?? 0) }));
  },
};

function spaceOf({ bavail, blocks, bsize }: { bavail: number; blocks: number; bsize: number }): Space {
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** One path for each file system. */
export function distinctDisks(paths: readonly string[]): string[] {
  const found = new Map<number, string>();
  for (const path of paths) {
    const device = statSync(path, { throwIfNoEntry: false })?.dev;
    if (device !== undefined && !found.has(device)) found.set(device, path);
  }
  return [...found.values()];
}

/** Also of what it has read when something vanishes under it, which it says by its exit code. */
function du(directories: readonly string[]): Promise<Map<string, number>> {
  return new Promise((resolve) => {
    const args = ['-s', '-x', '-0', '--block-size=1', '--', ...directories];
    execFile('du', args, { timeout: MEASURE_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 ** 2 }, (_error, stdout) => {
      const lines = stdout.split('\0').map((line) => /^(\d+)\t(.*)$/s.exec(line));
      resolve(new Map(lines.flatMap((line) => (line ? [[line[2] ?? '', Number(line[1])]] : []))));
    });
  });
}

/** Which disk is full, and how full, as far as an error that says ENOSPC or EDQUOT tells. */
export function fullWords(error: unknown): string {
  const { path, dest } = error as { path?: unknown; dest?: unknown };
  const about = typeof dest === 'string' ? dest : path;
  if (typeof about !== 'string' || !isAbsolute(about)) return 'the disk is full';
  for (let at = about; ; at = dirname(at)) {
    try {
      const { freeBytes, totalBytes } = systemDisks.spaceNow(at);
      return `the disk of ${at} has no room for it: ${mebibytes(freeBytes)} of ${mebibytes(totalBytes)} are free now`;
    } catch {
      if (at === dirname(at)) return `the disk of ${about} is full`;
    }
  }
}
