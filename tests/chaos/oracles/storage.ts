/** What lies in the data directory once all runs are in the archive: the outputs of the runs that succeeded, the archive, the call cache. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { visitFiles, withoutEndSlashes } from '@weft/plan';
import { fileUriToPath } from '@weft/storage';
import type { Redis } from 'ioredis';
import { outputsOf } from './logs.js';
import type { Evidence } from './verdict.js';

export async function leftFiles({ world, store, acknowledged }: Evidence, redis: Redis): Promise<string[]> {
  const outputs = new Set<string>();
  for (const { runId } of acknowledged) {
    visitFiles(await outputsOf(store, runId), ({ location }) => {
      if (location?.startsWith('file:')) outputs.add(withoutEndSlashes(fileUriToPath(location)));
    });
  }
  return filesBeside(world.data, { outputs, kept: await keptFolders(redis), runs: acknowledged.length });
}

/** @param wanted outputs of all runs, folders that the call cache knows, and how many runs are archived */
export function filesBeside(data: string, wanted: { outputs: ReadonlySet<string>; kept: readonly string[]; runs: number }): string[] {
  const cached = new Set(wanted.kept.map((folder) => join(data, folder)));
  return readdirSync(data).flatMap((name) => {
    const path = join(data, name);
    switch (name) {
      case 'runs':
        return beside(path, wanted.outputs).map((left) => `${left} is no output`);
      case 'cache':
        return beside(path, cached).map((left) => `${left} is unknown to the call cache`);
      case 'archive':
        return beyondRuns(path, wanted.runs);
      case '.trash':
        return readdirSync(path).map((left) => `${join(path, left)} is still to be removed`);
      default:
        return [`${path} is there`];
    }
  });
}

/** Files and empty directories that neither are among `wanted` nor lie below one of them. */
function beside(path: string, wanted: ReadonlySet<string>): string[] {
  // The test itself has taken single outputs away.
  const above = new Set([...wanted].map((name) => dirname(name)));
  const look = (folder: string): string[] => {
    const entries = readdirSync(folder, { withFileTypes: true });
    if (entries.length === 0 && folder !== path && !above.has(folder)) return [`${folder}/`];
    return entries.flatMap((entry) => {
      const name = join(folder, entry.name);
      if (wanted.has(name)) return [];
      return entry.isDirectory() ? look(name) : [name];
    });
  };
  return look(path);
}

/** The archive has an object for each run, two names that lead to it, and plans. */
function beyondRuns(path: string, runs: number): string[] {
  const wanted: Readonly<Record<string, number>> = { runs, index: 2 * runs };
  return readdirSync(path).flatMap((folder) => {
    if (folder === 'plans') return [];
    const found = readdirSync(join(path, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
    return found === wanted[folder] ? [] : [`${path}/${folder} has ${found} files for ${runs} runs`];
  });
}

async function keptFolders(redis: Redis): Promise<string[]> {
  const indexes = await Promise.all([...'0123456789abcdef'].map((bucket) => redis.zrange(`weft:{cache-${bucket}}:kept`, '0', '-1')));
  return indexes.flat().map((folder) => withoutEndSlashes(folder));
}
