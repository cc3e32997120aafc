/** The processes of the stack of a WEFT_HOME, by what the kernel shows: supervisor and services by their arguments, Redis by its title. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface StackProcess {
  name: string;
  pid: number;
}

export function stackProcesses(home: string): StackProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const [command = '', ...words] = argumentsOf(pid);
      // Options of Node's own come first.
      const [script = '', ...rest] = words.slice(words.findIndex((word) => !word.startsWith('-')));
      if (command.includes(`unixsocket:${join(home, 'run/redis.sock')}`)) return [{ name: 'redis', pid: Number(pid) }];
      if (!rest.includes(`--weft-stack=${home}`)) return [];
      return [{ name: rest[0] === '__supervise' ? 'supervisor' : basename(script, '.mjs'), pid: Number(pid) }];
    });
}

/** @throws Error where the stack has none of this name */
export function pidOf(home: string, name: string): number {
  const found = stackProcesses(home).find((one) => one.name === name);
  if (found === undefined) throw new Error(`the stack of ${home} has no ${name}`);
  return found.pid;
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It ended meanwhile.
    return [];
  }
}
