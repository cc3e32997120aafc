/**
 * Where a process lives, so that another can tell whether it may judge it: the machine, its boot, and the namespace its process ids belong to.
 * Names do not identify: two containers may have one host name and one machine id. A boot id and a PID namespace together do.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Place {
  host: string;
  machineId: string;
  bootId: string;
  /** As the kernel names it, `pid:[…]`; process ids mean something only inside. */
  pidNamespace: string;
}

export interface ProcessMark {
  pid: number;
  /** Kernel start time: with the pid it names one process of this boot for ever. */
  startedAt: string;
}

/** The inode that the kernel gives to the first PID namespace of every boot (PROC_PID_INIT_INO): no container. */
const FIRST_NAMESPACE = 'pid:[4026531836]';

export function placeOfThisProcess(): Place {
  return {
    host: hostname(),
    machineId: firstOf(['/etc/machine-id', '/var/lib/dbus/machine-id']),
    bootId: firstOf(['/proc/sys/kernel/random/boot_id']),
    pidNamespace: linkOf('/proc/self/ns/pid'),
  };
}

export function markOfThisProcess(): ProcessMark {
  return { pid: process.pid, startedAt: processStart(process.pid) ?? '' };
}

/** Processes of one and the other see each other's ids. */
export function samePlace(a: Place, b: Place): boolean {
  return placeWord(a) === placeWord(b);
}

/** The same for all processes that see each other's ids, whatever their host is called meanwhile. Without /proc only its name is left. */
export const placeWord = ({ host, bootId, pidNamespace }: Place): string => (bootId === '' ? host : `${bootId}/${pidNamespace}`);

/** By its names; says nothing where containers are involved. */
export function sameMachine(a: Place, b: Place): boolean {
  return a.host === b.host && a.machineId === b.machineId;
}

/** Outside of every container, as far as the kernel says. Without /proc there are none. */
export function isPlainHost({ pidNamespace }: Place): boolean {
  return pidNamespace === FIRST_NAMESPACE || pidNamespace === '';
}

/** Whether that very process lives. Only for a mark that was made in this place. */
export function isAlive({ pid, startedAt }: ProcessMark): boolean {
  if (process.platform !== 'linux') return canBeSignalled(pid);
  return startedAt !== '' && processStart(pid) === startedAt;
}

/** Field 22 of /proc/<pid>/stat; undefined where the process is gone, is a zombie, or the system has no /proc. */
export function processStart(pid: number): string | undefined {
  const fields = statOf(pid);
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19];
}

/** In a word for people: what keeps a process from answering, where the kernel knows it. */
export function processState(pid: number): 'gone' | 'stopped' | 'traced' | 'waits for a disk' | 'running' {
  const letter = statOf(pid)?.[0];
  if (letter === undefined || letter === 'Z' || letter === 'X') return 'gone';
  return ({ T: 'stopped', t: 'traced', D: 'waits for a disk' } as const)[letter] ?? 'running';
}

/** What follows the name in /proc/<pid>/stat; the name may hold anything, also parentheses. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
  } catch {
    return undefined;
  }
}

function canBeSignalled(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function firstOf(paths: string[]): string {
  for (const path of paths) {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      // Not every system has it.
    }
  }
  return '';
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
