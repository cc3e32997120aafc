/** Whether anything can be stored below a home: by trying where it looks tight, because quotas do not show in what a file system has free. */
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../home.js';

/** Below this the attempt is made. */
const TIGHT_BYTES = 64 * 1024 ** 2;
const ATTEMPT = Buffer.alloc(64 * 1024, 'x');
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

export function isOutOfRoom(error: unknown): boolean {
  return FULL.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** Undefined: something can be stored. Else a sentence: what is full, and what to do. */
export function noRoom(home: Pick<Home, 'root'>, always = false): string | undefined {
  const free = freeBytes(home.root);
  if (!always && free !== undefined && free > TIGHT_BYTES) return undefined;
  const path = join(home.root, `.room-${process.pid}`);
  try {
    writeFileSync(path, ATTEMPT, { mode: 0o600 });
    return undefined;
  } catch (error) {
    return isOutOfRoom(error) ? fullSentence(home, free) : undefined;
  } finally {
    rmSync(path, { force: true });
  }
}

export function fullSentence({ root }: Pick<Home, 'root'>, free = freeBytes(root)): string {
  const left = free === undefined ? '' : ` (${(free / 1024 ** 2).toFixed(1)} MiB free)`;
  return `DISK_FULL: nothing can be stored in ${root}${left}: make room there; what waits goes on by itself then`;
}

function freeBytes(root: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(root);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
