/**
 * `rm -rf`: also directories that a tool left without write permission. Never follows a symbolic link.
 *
 * Small trees are the rule (the sandbox of one task), so files are unlinked synchronously: a thread-pool round trip costs several times
 * the system call. Not so directories: on a busy disk `rmdir` was seen to wait milliseconds for the file system's journal.
 * Every BATCH entries it yields to the event loop, so that a large tree holds nobody up.
 */
import { chmodSync, type Dirent, readdirSync, unlinkSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { systemErrorCode } from './system-error.js';

const BATCH = 256;

/** @throws the system's error where something cannot be removed; a tree that is not there is not an error. */
export async function removeTree(path: string): Promise<void> {
  await removeBelow(path, { removed: 0 });
}

async function removeBelow(path: string, progress: { removed: number }): Promise<void> {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return;
    if (code === 'ENOTDIR') return unlinkSync(path);
    if (code !== 'EACCES') throw error;
    chmodSync(path, 0o700);
    entries = readdirSync(path, { withFileTypes: true });
  }
  for (const entry of entries) {
    const child = `${path}/${entry.name}`;
    if (entry.isDirectory()) await removeBelow(child, progress);
    else await withWriteAccess(path, () => unlinkSync(child));
    if (++progress.removed % BATCH === 0) await yieldToEventLoop();
  }
  await withWriteAccess(path.slice(0, path.lastIndexOf('/')) || '/', () => rmdir(path));
}

async function withWriteAccess(directory: string, act: () => void | Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    chmodSync(directory, 0o700);
    await act();
  }
}
