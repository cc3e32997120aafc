/** What the repository's checks look at: the same files for all of them (tools/sources.mjs). */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

/** Paths from `root`, which is this repository where it is not given. */
export function repositoryFiles(root = resolve('.')): string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve('tools/sources.mjs'), root], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.split('\n').filter((file) => file !== '');
}
