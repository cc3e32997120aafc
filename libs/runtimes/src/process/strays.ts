/**
 * Finds the processes of a task in /proc, where no namespace holds them together.
 *
 * Invariants:
 *  1. What is named is of the task: in the process group or session of its launcher, descended from it, or started since with the task's own
 *     directories in its environment.
 *  2. What has left the group and the session, lost its parents and cleared its environment is not found: this is the weak means.
 *  3. In the middle of an exec a process has no environment that could be read. Whether it is of the task is undecided then, never denied.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** Clock ticks since boot. */
  startedAt: number;
}

export interface TaskMark {
  /** Pid of the launcher's shell: leader of its group and session. */
  launcher: number;
  /** Nothing that started before is of the task. */
  since: number;
  /** The newest process then; undefined where the system does not tell. */
  lastPid: number | undefined;
  /** Directories that no other task has; its HOME and TMPDIR as a rule. */
  directories: readonly string[];
}

/** What was found of a task. */
export interface Strays {
  pids: number[];
  /** There are others of which it cannot be told yet. */
  undecided: boolean;
}

const TICKS_PER_SECOND = 100;
/** Of more, all are looked at: that is no more work. */
const FEW = 1000;

/**
 * Living processes; undefined where the system has no /proc to look at.
 * @param newerThan a pid: only those that were made after it, which are few; pids are given in order, and begin again at the bottom
 */
export function readProcesses(newerThan?: number): ProcessEntry[] | undefined {
  const last = newerThan === undefined ? undefined : lastPid();
  if (newerThan !== undefined && last !== undefined && last >= newerThan && last - newerThan < FEW) {
    return Array.from({ length: last - newerThan }, (_, index) => readProcess(newerThan + 1 + index)).flat();
  }
  return orGone(() => readdirSync('/proc'))?.flatMap((name) => (/^\d+$/.test(name) ? readProcess(Number(name)) : []));
}

function readProcess(pid: number): ProcessEntry[] {
  return [parseStat(orGone(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? '') ?? []].flat();
}

/** That was given to a process; undefined where the system does not tell. */
export function lastPid(): number | undefined {
  const field = orGone(() => readFileSync('/proc/loadavg', 'latin1'))?.split(' ')[4];
  return Number(field) || undefined;
}

/** Of a line of /proc/<pid>/stat; undefined for a zombie, and where the process is gone. */
export function parseStat(line: string): ProcessEntry | undefined {
  // The second field, a name in parentheses, may hold anything.
  const rest = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group, session] = rest;
  if (state === '' || state === 'Z' || state === 'X') return undefined;
  return { pid: parseInt(line, 10), parent: Number(parent), group: Number(group), session: Number(session), startedAt: Number(rest[19]) };
}

/** Every descendant of a process, nearest first; not itself. */
export function descendantsOf(root: number, processes: readonly ProcessEntry[]): number[] {
  const found = [root];
  for (const parent of found)
    for (const entry of processes) if (entry.parent === parent && !found.includes(entry.pid)) found.push(entry.pid);
  return found.slice(1);
}

/** @param environment of a process, as /proc/<pid>/environ has it; '' where it may not be read, undefined where it cannot be told yet */
export function straysOf(
  mark: TaskMark,
  processes: readonly ProcessEntry[],
  environment: (pid: number) => string | undefined = environmentOf,
): Strays {
  const below = new Set(descendantsOf(mark.launcher, processes));
  let undecided = false;
  const isMarked = (pid: number): boolean => {
    const text = environment(pid);
    undecided ||= text === undefined;
    return (text ?? '').split('\0').some((word) => mark.directories.includes(word.slice(word.indexOf('=') + 1)));
  };
  const pids = processes
    .filter(({ pid }) => pid !== mark.launcher && pid !== process.pid)
    .filter(({ pid, group, session, startedAt }) => {
      if (group === mark.launcher || session === mark.launcher || below.has(pid)) return true;
      return startedAt >= mark.since && isMarked(pid);
    })
    .map(({ pid }) => pid);
  return { pids, undecided };
}

/** Ticks since boot, as `startedAt` counts them. */
export function ticksNow(): number {
  const uptime = orGone(() => readFileSync('/proc/uptime', 'latin1'));
  return Math.floor(Number(uptime?.split(' ')[0] ?? 0) * TICKS_PER_SECOND);
}

/** A process that is gone meanwhile is not an error. */
export function killProcess(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Another user's, as one with a set-user-id bit, cannot be killed by any means that there is.
    if (!isGone(error) && (error as { code?: unknown }).code !== 'EPERM') throw error;
  }
}

function environmentOf(pid: number): string | undefined {
  const text = orGone(() => readFileSync(`/proc/${pid}/environ`, 'latin1')) ?? '';
  const stat = text === '' ? orGone(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) : undefined;
  if (stat === undefined) return text;
  switch (environmentIn(stat)) {
    case 'none':
      return text;
    case 'some':
      return undefined;
    case 'not told':
      // Of a kernel thread, and of a process that this one may not look at, no place is told either.
      return orGone(() => readFileSync(`/proc/${pid}/auxv`)) === undefined ? text : undefined;
  }
}

/**
 * Whether a process has an environment, from a line of /proc/<pid>/stat. In an exec nothing is told at first; then the environment is measured, and
 * seems to be empty; where the program's code begins is the last that is told.
 * Source: proc(5), fields 26, 50 and 51 of /proc/pid/stat; Linux fs/binfmt_elf.c, create_elf_tables and load_elf_binary.
 */
export function environmentIn(stat: string): 'none' | 'some' | 'not told' {
  const rest = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [code = '0', start = '0', end = '0'] = [rest[23], rest[47], rest[48]];
  if (end === '0' || code === '0') return 'not told';
  return start === end ? 'none' : 'some';
}

/** What may not be looked at is not ours. */
function orGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isGone(error) || (error as { code?: unknown }).code === 'EACCES') return undefined;
    throw error;
  }
}

/** Whether a system call failed because there is no such file or process. Structural: an error of another realm is no `instanceof Object`. */
export function isGone(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'ENOENT' || code === 'ESRCH';
}
