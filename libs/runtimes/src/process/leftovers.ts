/**
 * Which processes of a launcher's group are not of the task that it runs now: background children of earlier tasks that ignored TERM.
 *
 * Invariant: a process of the current task is never taken for a leftover; it did not start before its task.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface GroupMember {
  pid: number;
  parent: number;
  group: number;
  /** Clock ticks since boot. */
  startedAt: number;
}

/** Living processes in any of the groups; undefined where the system has no /proc to look at. */
export function groupMembers(groups: ReadonlySet<number>): GroupMember[] | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  const members: GroupMember[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const member = parseStat(readStat(name));
    if (member !== undefined && groups.has(member.group)) members.push(member);
  }
  return members;
}

/** Of a line of /proc/<pid>/stat; undefined for a zombie, and where the process is gone. */
export function parseStat(line: string): GroupMember | undefined {
  // The second field, a name in parentheses, may hold anything.
  const rest = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group] = rest;
  if (state === '' || state === 'Z' || state === 'X') return undefined;
  return { pid: parseInt(line, 10), parent: Number(parent), group: Number(group), startedAt: Number(rest[19]) };
}

/** @param launcher its pid, which is its group's id. */
export function leftoversOf(launcher: number, members: readonly GroupMember[]): number[] {
  const others = members.filter(({ group, pid }) => group === launcher && pid !== launcher);
  const task = others.find(({ parent }) => parent === launcher);
  return others.filter((member) => task === undefined || isOlder(member, task, others)).map(({ pid }) => pid);
}

/** A tick is 10 ms, and tasks follow each other faster: within one, the lower pid is the older process, unless it descends from the task. */
function isOlder(member: GroupMember, task: GroupMember, others: readonly GroupMember[]): boolean {
  if (member.startedAt !== task.startedAt) return member.startedAt < task.startedAt;
  if (member.pid >= task.pid) return false;
  for (let up: GroupMember | undefined = member; up !== undefined;) {
    if (up.parent === task.pid) return false;
    const { parent }: GroupMember = up;
    up = others.find(({ pid }) => pid === parent);
  }
  return true;
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

/** Whether a system call failed because there is no such file or process. Structural: an error of another realm is no `instanceof Object`. */
export function isGone(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'ENOENT' || code === 'ESRCH';
}
