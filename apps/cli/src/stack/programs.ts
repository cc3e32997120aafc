/** Where programs are that weft itself starts by name: looked up as a shell does, and told by their absolute path. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

export const REDIS_PROGRAMS = ['redis-server', 'valkey-server'];
export const DOCKER_PROGRAMS = ['docker'];
export const GPU_PROGRAMS = ['nvidia-smi'];

/** The first that is there. Directories that cannot be searched have none; the usual ones are looked at in any case. */
export function findInPath(names: readonly string[], env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  const directories = [...(env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/usr/bin', '/usr/sbin'].filter((d) => d !== '');
  for (const name of names) {
    const found = directories.map((directory) => resolve(directory, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
