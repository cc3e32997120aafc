/**
 * How the supervisor of a stack that others will use is started: with the limits and processors that the system allows, not with those that
 * the shell of its first caller happened to have.
 *
 * Invariant: where nothing was narrowed, nothing is put between: the program is started as it is.
 */
import { readFileSync } from 'node:fs';

export interface Narrowed {
  /** Options of the shell's `ulimit` whose soft limit is below the hard one. */
  limits: readonly string[];
  /** Processors that there are, as the kernel lists them; absent: all of them may be used already. */
  processors?: string;
}

/** Lines of /proc/<pid>/limits → options of `ulimit`. Core files and stacks stay: their small soft limits are the system's wish. */
const OPTIONS: readonly [line: string, option: string][] = [
  ['Max cpu time', 't'],
  ['Max file size', 'f'],
  ['Max data size', 'd'],
  ['Max processes', 'p'],
  ['Max open files', 'n'],
  ['Max locked memory', 'l'],
  ['Max address space', 'v'],
];

export function narrowedLimits(text: string): string[] {
  return OPTIONS.flatMap(([name, option]) => {
    const line = text.split('\n').find((candidate) => candidate.startsWith(name));
    const [soft, hard] = line?.slice(name.length).trim().split(/\s+/) ?? [];
    return soft === hard ? [] : [option];
  });
}

export function launchLine(argv: readonly [string, ...string[]], { limits, processors }: Narrowed): [string, ...string[]] {
  const raise = limits.map((option) => `ulimit -S -${option} "$(ulimit -H -${option})" 2>/dev/null`);
  // The kernel cuts the list down to what this user may use.
  const widen = processors === undefined ? [] : [`taskset -a -p -c ${processors} $$ >/dev/null 2>&1`];
  if (raise.length + widen.length === 0) return [...argv];
  return ['/bin/sh', '-c', [...raise, ...widen, 'exec "$0" "$@"'].join('\n'), ...argv];
}

export function launch(argv: readonly [string, ...string[]]): [string, ...string[]] {
  return launchLine(argv, narrowedHere());
}

function narrowedHere(): Narrowed {
  const [limits, status, online] = ['/proc/self/limits', '/proc/self/status', '/sys/devices/system/cpu/online'].map(read);
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? '')?.[1];
  const all = online?.trim();
  const processors = all !== undefined && /^[\d,-]+$/.test(all) && allowed !== undefined && allowed !== all ? all : undefined;
  return { limits: narrowedLimits(limits ?? ''), ...(processors !== undefined && { processors }) };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
