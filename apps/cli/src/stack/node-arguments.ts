/**
 * How Node.js is started for a service on this machine.
 *
 * Where the address space is limited (`ulimit -v`), reservations count that are never used: WebAssembly's bounds are checked in code, because the
 * faster way reserves ten gigabytes of addresses for each memory, and the C library keeps one arena instead of one of 64 MB for each thread.
 */
import { readFileSync } from 'node:fs';

const CHECKED_IN_CODE = '--disable-wasm-trap-handler';

export interface NodeStart {
  args: string[];
  env: Record<string, string>;
}

export function nodeStart(limits = ownLimits(), known: { has(flag: string): boolean } = process.allowedNodeEnvironmentFlags): NodeStart {
  const [, soft = 'unlimited'] = /^Max address space\s+(\S+)/m.exec(limits) ?? [];
  if (soft === 'unlimited') return { args: [], env: {} };
  return { args: known.has(CHECKED_IN_CODE) ? [CHECKED_IN_CODE] : [], env: { MALLOC_ARENA_MAX: '1' } };
}

function ownLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
