/** What may be left on the host: processes, containers, sandboxes. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Containers } from '../containers.js';
import type { World } from '../world.js';

export async function leftContainers(containers: Containers | undefined): Promise<string[]> {
  return ((await containers?.all()) ?? []).map(({ id, state, task }) => `container ${id.slice(0, 12)} of ${task} (${state})`);
}

/** The runner's own: where host tools see their inputs (libs/runtimes, `read-only-view.ts`). */
const VIEW = 'ro';

export function leftSandboxes(world: World): string[] {
  return world.sandboxes.flatMap((root) =>
    readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== VIEW)
      .map(({ name }) => `${root}/${name}`),
  );
}

/** Of services that are down. */
export function leftTemporaryFiles({ folder }: World): string[] {
  return readdirSync(join(folder, 'tmp')).map((name) => `${folder}/tmp/${name}`);
}

/** Processes whose environment, command line or working directory names our folder. */
export function leftProcesses(folder: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const cmdline = readProc(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    const environ = readProc(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    const cwd = readProc(() => readlinkSync(`/proc/${pid}/cwd`));
    if ([cmdline, environ, cwd].some((text) => text.includes(folder))) found.push(`${pid} ${cmdline.replaceAll('\0', ' ').trim()}`);
  }
  return found;
}

/** Processes come and go, and some are not ours to look at. */
function readProc(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
