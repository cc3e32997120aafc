/**
 * How Node.js is started for a service on this machine.
 *
 * Where the address space is limited (`ulimit -v`), reservations count that are never used: WebAssembly's bounds are checked in code, because the
 * faster way reserves ten gigabytes of addresses for each memory, and the C library keeps one arena instead of one of 64 MB for each thread.
 *
 * The collector's helpers are no more than there are other processors: what a thread with large work leaves behind (libs/threads) they clear away at the
 * service's own priority, and four of them on two processors take them from everybody else.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const CHECKED_IN_CODE = '--disable-wasm-trap-handler';
/** As many as Node.js starts itself. */
const MOST_HELPERS = 4;

export interface NodeStart {
  args: string[];
  env: Record<string, string>;
}

export interface Machine {
  /** As /proc/self/limits has them. */
  limits: string;
  processors: number;
  knows(flag: string): boolean;
}

export function nodeStart({ limits, processors, knows }: Machine = thisMachine()): NodeStart {
  const helpers = Math.min(MOST_HELPERS, Math.max(1, processors - 1));
  const args = helpers < MOST_HELPERS ? [`--v8-pool-size=${helpers}`] : [];
  const [, soft = 'unlimited'] = /^Max address space\s+(\S+)/m.exec(limits) ?? [];
  if (soft === 'unlimited') return { args, env: {} };
  return { args: [...args, ...(knows(CHECKED_IN_CODE) ? [CHECKED_IN_CODE] : [])], env: { MALLOC_ARENA_MAX: '1' } };
}

function thisMachine(): Machine {
  const flags = process.allowedNodeEnvironmentFlags;
  return { limits: ownLimits(), processors: availableParallelism(), knows: (flag) => flags.has(flag) };
}

function ownLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
