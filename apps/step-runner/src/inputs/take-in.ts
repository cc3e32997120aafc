/** How files come into the input cache: without a copy where that is possible, and read-only. */
import { chmodSync, copyFileSync, linkSync, renameSync, rmSync } from 'node:fs';
import { systemErrorCode } from '@weft/storage';

/** Nobody writes; whether it is a program nobody knows. */
const MODE = 0o555;

/** A file of the cache at `to`; `from` stays, unless it is moved. */
export function takeIn(from: string, how: 'move' | 'link', to: string): void {
  if (how === 'move') renameSync(from, to);
  else linkOrCopy(from, to);
  try {
    chmodSync(to, MODE);
  } catch (error) {
    // Linked, and another user's, as what a container wrote.
    if (systemErrorCode(error) !== 'EPERM' || how === 'move') throw error;
    rmSync(to);
    copyFileSync(from, to);
    chmodSync(to, MODE);
  }
}

/** A hard link, or a copy where there can be none. */
export function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Another file system, too many links, or a file that is not ours to link.
    if (!['EXDEV', 'EMLINK', 'EPERM'].includes(systemErrorCode(error) ?? '')) throw error;
    copyFileSync(from, to);
  }
}
