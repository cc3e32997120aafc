/** What this host has to give: read once at boot, except free disk space and the state of the runtimes. */
import { execFile } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { arch, availableParallelism, hostname, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { executor } from '@weft/contracts';
import type { TaskRuntime } from '@weft/runtimes';
import { systemErrorCode } from '@weft/storage';
import type { CapacityOverrides } from '../config.js';

export interface HostCapacity {
  cores: number;
  ramBytes: number;
  /** Ids of GPUs. */
  devices: readonly string[];
}

export async function hostCapacity({ cores, ramBytes, devices }: CapacityOverrides = {}): Promise<HostCapacity> {
  return { cores: cores ?? availableParallelism(), ramBytes: ramBytes ?? totalmem(), devices: devices ?? (await findGpus()) };
}

export function hostLabels(): Record<string, string> {
  return { 'weft.host': hostname(), 'weft.arch': arch() };
}

/** What starting a command says where there is none: EACCES also where one of the directories of PATH cannot be searched. */
const NOT_THERE = new Set(['ENOENT', 'EACCES', 'ENOTDIR', 'EPERM', 'ENOEXEC', 'ELOOP']);

/** One line of `nvidia-smi -L` per GPU; a host without that command has none, and a driver that does not answer gives none. */
async function findGpus(): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', ['-L'], { timeout: 5000, env: process.env });
    return gpuIds(stdout);
  } catch (error) {
    const failedItself = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
    if (NOT_THERE.has(systemErrorCode(error) ?? '') || failedItself) return [];
    throw error;
  }
}

/** UUIDs where the lines have them: an index means another device inside a container. */
export function gpuIds(listing: string): string[] {
  return listing.split('\n').flatMap((line) => {
    const index = /^GPU (\d+):/.exec(line)?.[1];
    const uuid = /\(UUID: ([^()\s]+)\)$/.exec(line.trimEnd())?.[1];
    return index === undefined ? [] : [uuid ?? index];
  });
}

/** Bytes that an unprivileged user may still write. */
export function freeDiskBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** What there is, and labels that say by which means tasks are contained. */
export async function describeRuntimes(
  runtimes: readonly TaskRuntime[],
): Promise<{ infos: executor.RuntimeInfo[]; labels: Record<string, string> }> {
  const labels: Record<string, string> = {};
  const infos = await Promise.all(
    runtimes.map(async (runtime) => {
      const { version, unavailable = '', expected = false, containment, inputs } = await runtime.probe();
      if (containment !== undefined) labels[`weft.${runtime.name}.containment`] = containment;
      if (inputs !== undefined) labels[`weft.${runtime.name}.inputs`] = inputs;
      return { name: runtime.name, version, containers: runtime.containers, unavailable, expected };
    }),
  );
  return { infos, labels };
}
