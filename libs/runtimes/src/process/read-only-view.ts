/**
 * The whole file system under a second name, through which nothing can be written. It is mounted for the tasks alone, in the mount
 * namespace of each launcher; on the host the same names lead to the originals by links, so that a name that a tool gives back or writes
 * down means the same here.
 *
 * Invariants:
 *  1. A name is given only for a path that holds no symbolic link: a link would lead out of the view, to where writing is possible.
 *  2. A launcher serves a task only where every mount that the task's inputs lie on is in the launcher's view, read-only: what was mounted
 *     on the host later arrives there writable, or not at all.
 */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isGone } from './strays.js';
import { type Mount, MountTable } from './mounts.js';

export class ReadOnlyView {
  private readonly linked = new Set<string>();
  /** Mounts that no launcher gets into its view, as those that cannot be bound. */
  private readonly missing = new Set<string>();
  private table = new MountTable('');

  /** @param directory is made where it is missing; a mount point, and nothing else, without symbolic links above it */
  constructor(readonly directory: string) {
    this.make();
  }

  /** Before it is mounted over; also where somebody has removed it. */
  make(): void {
    if (mkdirSync(this.directory, { recursive: true, mode: 0o755 }) === undefined) return;
    const tops = [...this.linked];
    this.linked.clear();
    for (const top of tops) this.link(top);
  }

  /** Of a file or directory; undefined where it is not in the view. @param path absolute, without symbolic links */
  nameOf(path: string): string | undefined {
    if (this.missing.size > 0 && this.missing.has(keyOf(this.hostMounts().mountOf(path)))) return undefined;
    this.link(path.split('/', 2)[1] ?? '');
    return this.directory + path;
  }

  /** Those of the paths whose names are not read-only for a process that sees the mounts of `seen`. */
  uncovered(paths: readonly string[], seen: MountTable): string[] {
    if (paths.length === 0) return [];
    const host = this.hostMounts();
    return paths.filter((path) => {
      const [wanted, there] = [host.mountOf(path), seen.mountOf(this.directory + path)];
      if (wanted === undefined || there === undefined || !there.readOnly) return true;
      const point = wanted.point === '/' ? this.directory : this.directory + wanted.point;
      return there.device !== wanted.device || there.root !== wanted.root || there.point !== point;
    });
  }

  /** A new launcher has not got them either: they have no name from now on. */
  giveUp(paths: readonly string[]): void {
    for (const path of paths) this.missing.add(keyOf(this.hostMounts().mountOf(path)));
  }

  private hostMounts(): MountTable {
    const text = readFileSync('/proc/self/mountinfo', 'latin1');
    if (text !== this.table.text) this.table = new MountTable(text);
    return this.table;
  }

  private link(top: string): void {
    if (top === '' || this.linked.has(top)) return;
    try {
      symlinkSync(`/${top}`, join(this.directory, top));
    } catch (error) {
      if (isGone(error)) {
        this.make();
        return this.link(top);
      }
      if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
    }
    this.linked.add(top);
  }
}

function keyOf(mount: Mount | undefined): string {
  return mount === undefined ? '' : `${mount.device} ${mount.root} ${mount.point}`;
}
