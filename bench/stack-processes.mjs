/** The processes of the stack of a WEFT_HOME, by their arguments: supervisor, services, and Redis, which shows in its title where it listens. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

export function stackProcesses(home) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const [command, ...words] = argumentsOf(pid);
      // Options of Node's own come first.
      const [script = '', ...rest] = words.slice(words.findIndex((word) => !word.startsWith('-')));
      if (command?.includes(`unixsocket:${join(home, 'run/redis.sock')}`)) return [{ name: 'redis', pid: Number(pid) }];
      if (!rest.includes(`--weft-stack=${home}`)) return [];
      return [{ name: rest[0] === '__supervise' ? 'supervisor' : basename(script, '.mjs'), pid: Number(pid) }];
    });
}

function argumentsOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
