/** Processes that left the group they were started in, found by a folder that is named nowhere else. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_AGAIN_MS = 100;

/** Ids of processes whose environment, command line or working directory names the folder; never this process. */
export function processesNaming(folder: string): number[] {
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      const texts = [
        () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
        () => readFileSync(`/proc/${pid}/environ`, 'utf8'),
        () => readlinkSync(`/proc/${pid}/cwd`),
      ];
      return texts.some((read) => said(read).includes(folder));
    })
    .map(Number);
}

/** TERM to all that `find` finds, KILL to those that are there after `graceMs`. Resolves with how many there were. */
export async function endAll(find: () => number[], graceMs: number): Promise<number> {
  const seen = new Set<number>();
  const told = (signal: NodeJS.Signals): boolean => {
    const found = find();
    for (const pid of found) if (signal === 'SIGKILL' || !seen.has(pid)) tell(pid, signal);
    for (const pid of found) seen.add(pid);
    return found.length > 0;
  };
  // Nothing tells when a process that is not a child is gone.
  for (const deadline = Date.now() + graceMs; told('SIGTERM') && Date.now() < deadline;) await delay(LOOK_AGAIN_MS);
  told('SIGKILL');
  return seen.size;
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Where there is no /proc nobody is found. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Processes come and go, and some are not ours to look at. */
function said(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
