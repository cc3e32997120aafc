/**
 * Redis ends by itself when the supervisor and every service are gone, however they ended, and not before: it is the last to go.
 *
 * Supervisor and services hold one end of a socket pair, a shell beside Redis waits at the other. When nobody holds it any more the shell asks
 * Redis to end, unless that is no longer its parent (process ids are used again).
 */
import { existsSync } from 'node:fs';

const SHELL = '/bin/sh';
const GUARD =
  '(read -r _ <&3; read -r _ _ _ parent _ </proc/self/stat; [ "$parent" = "$$" ] && kill -TERM "$parent") </dev/null >/dev/null 2>&1 & ' +
  'exec 3<&-; exec "$@"';

/** The command under that guard; as it is where the system lacks what it takes. */
export function guarded(command: string, args: string[]): { command: string; args: string[] } {
  if (process.platform !== 'linux' || !existsSync(SHELL)) return { command, args };
  return { command: SHELL, args: ['-c', GUARD, 'weft-redis', command, ...args] };
}
