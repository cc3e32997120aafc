/**
 * Which shell launches tasks, and what it is like. dash where there is one: it forks four times faster than bash and exports nothing of its own.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { RuntimeFailure } from '../ports.js';
import { findCommand } from './command-lookup.js';

export interface Shell {
  path: string;
  envCommand: string;
  /** It adds no variable of its own (`_`, SHLVL, PWD) to an environment that it exports. */
  clean: boolean;
}

const CANDIDATES = ['/bin/dash', '/usr/bin/dash', '/bin/sh', '/usr/bin/sh'];

/** @throws RuntimeFailure RUNTIME_UNAVAILABLE where there is no POSIX shell or no `env`. */
export async function findShell(path: string): Promise<Shell> {
  const shell = CANDIDATES.find((candidate) => existsSync(candidate));
  if (shell === undefined) throw new RuntimeFailure('RUNTIME_UNAVAILABLE', 'there is no /bin/sh to launch processes with', false);
  const env = findCommand('env', path, '/');
  if ('missing' in env) throw new RuntimeFailure('RUNTIME_UNAVAILABLE', env.missing, false);
  const { stdout } = await promisify(execFile)(shell, ['-c', `cd /; unset PWD OLDPWD; exec ${env.path}`], { env: {} });
  return { path: shell, envCommand: env.path, clean: stdout === '' };
}
