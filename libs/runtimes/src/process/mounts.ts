/** The mounts that a process sees (/proc/<pid>/mountinfo), and which of them a path lies on. Pure. */

export interface Mount {
  id: number;
  parent: number;
  /** major:minor of its file system, and which part of that is mounted: together what one sees there. */
  device: string;
  root: string;
  point: string;
  readOnly: boolean;
}

export class MountTable {
  private readonly below = new Map<number, Mount[]>();
  private readonly top: Mount | undefined;

  /** @param text as /proc/<pid>/mountinfo has it */
  constructor(readonly text: string) {
    const mounts = text.split('\n').flatMap(parseMount);
    const ids = new Set(mounts.map(({ id }) => id));
    for (const mount of mounts) {
      // The topmost one's parent is outside of what the process sees.
      if (ids.has(mount.parent) && mount.parent !== mount.id)
        this.below.set(mount.parent, [...(this.below.get(mount.parent) ?? []), mount]);
      else this.top ??= mount;
    }
  }

  /** @param path absolute, without symbolic links */
  mountOf(path: string): Mount | undefined {
    let found = this.top;
    for (let mount = found; mount !== undefined; mount = this.next(mount, path)) found = mount;
    return found;
  }

  /** The walk down a path meets the nearest mount first; it hides what is mounted further below on the same one. */
  private next(mount: Mount, path: string): Mount | undefined {
    const on = (this.below.get(mount.id) ?? []).filter(
      ({ point }) => path === point || path.startsWith(point === '/' ? point : `${point}/`),
    );
    return on.reduce<Mount | undefined>(
      (best, one) => (best === undefined || one.point.length < best.point.length ? one : best),
      undefined,
    );
  }
}

function parseMount(line: string): Mount[] {
  const [id, parent, device = '', root = '', point = '', options = ''] = line.split(' ');
  if (options === '') return [];
  const readOnly = options.split(',').includes('ro');
  return [{ id: Number(id), parent: Number(parent), device, root: plain(root), point: plain(point), readOnly }];
}

/** Spaces, tabs, line feeds and backslashes are written as octal numbers; other bytes as they are. */
function plain(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
