/**
 * How Node.js is started for a service on this machine.
 *
 * Where the address space is limited (`ulimit -v`) WebAssembly's bounds are checked in code: the faster way reserves ten gigabytes of addresses for
 * each memory, which no such limit has.
 */
import { readFileSync } from 'node:fs';

const CHECKED_IN_CODE = '--disable-wasm-trap-handler';

export function nodeArguments(limits = ownLimits(), known: { has(flag: string): boolean } = process.allowedNodeEnvironmentFlags): string[] {
  const [, soft = 'unlimited'] = /^Max address space\s+(\S+)/m.exec(limits) ?? [];
  return soft !== 'unlimited' && known.has(CHECKED_IN_CODE) ? [CHECKED_IN_CODE] : [];
}

function ownLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
