/** Which files below a directory some process has open, as far as /proc shows it. */
import { readdirSync, readlinkSync } from 'node:fs';
import { isGone } from './strays.js';

/** Real paths, for a real directory. Those of other users' processes are not seen. */
export function openFilesBelow(directory: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const pid of quiet(() => readdirSync('/proc')) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of quiet(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const path = quiet(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (path?.startsWith(`${directory}/`) === true) found.add(path);
    }
  }
  return found;
}

function quiet<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isGone(error) || (error as { code?: unknown }).code === 'EACCES') return undefined;
    throw error;
  }
}
