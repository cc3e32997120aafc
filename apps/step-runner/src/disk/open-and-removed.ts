/** Files that have no name any more and take room all the same, because a task has them open; as far as /proc shows them. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Place } from './place.js';

const REMOVED = ' (deleted)';
/** Bytes of a block, as stat counts them. */
const BLOCK = 512;

/** By task. Each file once, however often it is open. */
export function openAndRemoved(tasks: readonly Place[]): Map<string, number> {
  const found = new Map<string, number>();
  const seen = new Set<string>();
  for (const pid of quietly(() => readdirSync('/proc')) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of quietly(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const name = `/proc/${pid}/fd/${fd}`;
      const path = quietly(() => readlinkSync(name));
      if (path?.endsWith(REMOVED) !== true) continue;
      const owner = ownerOf(path, pid, tasks);
      const stats = owner && quietly(() => statSync(name));
      if (!owner || !stats?.isFile() || stats.nlink > 0 || seen.has(`${stats.dev} ${stats.ino}`)) continue;
      seen.add(`${stats.dev} ${stats.ino}`);
      found.set(owner.key, (found.get(owner.key) ?? 0) + stats.blocks * BLOCK);
    }
  }
  return found;
}

/** By where it was, or, for what a container calls it, by whose process it is. */
function ownerOf(path: string, pid: string, tasks: readonly Place[]): Place | undefined {
  const at = tasks.find(({ directory }) => path.startsWith(`${directory}/`));
  if (at !== undefined || tasks.every(({ container }) => container === undefined)) return at;
  const groups = quietly(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? '';
  return tasks.find(({ container }) => container !== undefined && groups.includes(container));
}

/** Processes end while they are looked at, and others' are not ours to see. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
