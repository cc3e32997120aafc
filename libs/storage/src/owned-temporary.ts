/**
 * Temporary files and directories that name their owner, so that what a process left that was killed can be told from what one still uses.
 *
 *   <prefix><boot>-<pid namespace>-<pid>-<start>-<any>
 *
 * Invariants:
 *  1. Nothing is removed but what has such a name with a known prefix, belongs to this user, and whose owner is known to be gone: another process has
 *     its number, or none. Of what another machine, an earlier boot or another container made, that is not known: it goes when it is a week old.
 *  2. No link is followed.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

const PREFIXES = ['weft-archive-'] as const;
export type TemporaryPrefix = (typeof PREFIXES)[number];
const NAME = new RegExp(`^(?:${PREFIXES.join('|')})([0-9a-f]{8}-\\d+)-(\\d+)-(\\d+)-`);
const STRANGE_MS = 7 * 86_400_000;

/** What names of this process' temporaries begin with. */
export function ownedName(prefix: TemporaryPrefix): string {
  return `${prefix}${place()}-${process.pid}-${startOf(process.pid) ?? 0}-`;
}

/** Removes what owners that are gone have left in a directory; answers the names. Never rejects: what cannot be removed stays. */
export async function removeAbandoned(directory: string, nowMs = Date.now()): Promise<string[]> {
  const gone: string[] = [];
  for (const name of names(directory)) {
    const path = join(directory, name);
    if (!isAbandoned(name, path, nowMs)) continue;
    try {
      await rm(path, { recursive: true, force: true });
      gone.push(name);
    } catch {
      // Somebody else was faster, or it may not be removed.
    }
  }
  return gone;
}

function isAbandoned(name: string, path: string, nowMs: number): boolean {
  const [, where, pid, start] = NAME.exec(name) ?? [];
  if (where === undefined) return false;
  try {
    const status = lstatSync(path);
    if (status.uid !== process.getuid?.() || status.isSymbolicLink()) return false;
    if (where !== place()) return nowMs - status.mtimeMs > STRANGE_MS;
    return startOf(Number(pid)) !== Number(start);
  } catch {
    return false;
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Within which a process' number means that process. */
function place(): string {
  const boot = read('/proc/sys/kernel/random/boot_id').replaceAll('-', '').slice(0, 8) || '00000000';
  let namespace = '0';
  try {
    namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    // A system without them has one.
  }
  return `${boot}-${namespace}`;
}

/** In ticks after the boot; undefined: there is no such process. */
function startOf(pid: number): number | undefined {
  // The name, in brackets, may hold anything.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ');
  return fields?.[19] === undefined ? undefined : Number(fields[19]);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
