/** What this host has to give: read once at boot, except free disk space and the state of the runtimes. */
import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, hostname, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { executor } from '@weft/contracts';
import type { TaskRuntime } from '@weft/runtimes';
import { systemErrorCode } from '@weft/storage';

export interface HostCapacity {
  cores: number;
  ramBytes: number;
  gpus: number;
}

export async function hostCapacity(): Promise<HostCapacity> {
  return { cores: availableParallelism(), ramBytes: totalmem(), gpus: await countGpus() };
}

export function hostLabels(): Record<string, string> {
  return { 'weft.host': hostname(), 'weft.arch': arch() };
}

/** One line of `nvidia-smi -L` per GPU; a host without that command has none, and a driver that does not answer gives none. */
async function countGpus(): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', ['-L'], { timeout: 5000 });
    return stdout.split('\n').filter((line) => line.startsWith('GPU ')).length;
  } catch (error) {
    const failedItself = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
    if (systemErrorCode(error) === 'ENOENT' || failedItself) return 0;
    throw error;
  }
}

/** Bytes that an unprivileged user may still write. */
export async function freeDiskBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

export function describeRuntimes(runtimes: readonly TaskRuntime[]): Promise<executor.RuntimeInfo[]> {
  return Promise.all(
    runtimes.map(async (runtime) => {
      const { version, unavailable = '' } = await runtime.probe();
      return { name: runtime.name, version, containers: runtime.containers, unavailable };
    }),
  );
}
