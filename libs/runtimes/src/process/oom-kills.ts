/**
 * How often the kernel has killed processes for want of memory, as far as this process may know: in its own memory cgroup (and so among the
 * tasks that it starts), else on the whole host.
 *
 * A count is evidence, no proof: a tool that ends as killed while the count grows is taken for one that was killed for its memory. One that
 * outlives such a child and fails by itself is not told from any other failure.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { isGone } from './strays.js';

const HOST_FILE = '/proc/vmstat';

export class OomKills {
  private readonly buffer = Buffer.alloc(16 * 1024);

  private constructor(private fd: number | undefined) {}

  /** @param file of a memory cgroup, or what `oomFile` finds */
  static in(file: string): OomKills {
    try {
      return new OomKills(openSync(file, 'r'));
    } catch (error) {
      if (isGone(error)) return new OomKills(undefined);
      throw error;
    }
  }

  /** Undefined where the system does not tell. */
  count(): number | undefined {
    if (this.fd === undefined) return undefined;
    try {
      const found = /^oom_kill (\d+)$/m.exec(this.buffer.toString('latin1', 0, readSync(this.fd, this.buffer, 0, this.buffer.length, 0)));
      return found === null ? undefined : Number(found[1]);
    } catch (error) {
      // The cgroup was removed.
      if ((error as { code?: unknown }).code === 'ENODEV') return undefined;
      throw error;
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }
}

/** @param cgroups the text of /proc/self/cgroup */
export function oomFile(cgroups: string, exists: (path: string) => boolean = existsSync): string {
  const lines = cgroups.split('\n').map((line) => /^(\d+):([^:]*):(.*)$/.exec(line));
  const pathOf = (wanted: (controllers: string) => boolean): string | undefined =>
    lines.find((line) => line !== null && wanted(line[2] ?? ''))?.[3]?.replace(/\/$/, '');
  const [version1, version2] = [pathOf((names) => names.split(',').includes('memory')), pathOf((names) => names === '')];
  const candidates = [
    ...(version2 === undefined ? [] : [`/sys/fs/cgroup${version2}/memory.events`]),
    ...(version1 === undefined ? [] : [`/sys/fs/cgroup/memory${version1}/memory.oom_control`]),
  ];
  return candidates.find((path) => exists(path)) ?? HOST_FILE;
}

export function oomKillsOfThisProcess(): OomKills {
  return OomKills.in(oomFile(existsSync('/proc/self/cgroup') ? readFileSync('/proc/self/cgroup', 'utf8') : ''));
}
