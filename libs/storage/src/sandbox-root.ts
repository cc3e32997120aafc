/**
 * Where sandboxes are made unless WEFT_SANDBOX_ROOT says so: by a name without dots, because `path.split('.')[0]` is what people write, and on
 * the file system of the results, because publishing there is a link and no copy.
 *
 *   <home>/sandboxes              where that has no dot
 *   /var/tmp/weft-<uid>-<home>    where it lies on the mount that the results lie on (`~/.weft` on most machines)
 *   <parent of home>/weft-sandboxes-<home>   else, where the parent is this user's and has no dot (a home directory with a disk of its own)
 *   /var/tmp/weft-<uid>-<home>    else (`/home/first.last` on a disk of its own): results are copied then
 *   <home>/sandboxes              where nothing of this can be used, and where the home itself is mounted: it is a container's, and the engine on the
 *                                 host sees that and nothing else of it; `weft doctor` says so
 *
 * Invariants:
 *  1. The same home has the same root, whoever asks; but where an earlier version left sandboxes in the home, they are taken up there first.
 *  2. A root in a directory that others may write to is this user's alone, and no link, or it is refused: whoever made it first does not get our tasks.
 */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isWithin, isWritable } from './host-paths.js';
import { type MountLine, mountLines } from './mountinfo.js';
import { systemErrorCode } from './system-error.js';

const OUTSIDE = '/var/tmp';

/** What is known of a directory that is there. */
export interface Place {
  uid: number;
  device: number;
  /** Of its mount. */
  mount: string;
  noexec: boolean;
  writable: boolean;
}

export interface SandboxRootQuestion {
  home: string;
  /** Where results go, if to a directory of this host. */
  data?: string;
  uid: number;
  /** Of the nearest directory of that path that is there. */
  look: (path: string) => Place;
  /** Whether sandboxes of an earlier version lie there. */
  inUse: (path: string) => boolean;
}

export function chooseSandboxRoot({ home, data = home, uid, look, inUse }: SandboxRootQuestion): string {
  const own = join(home, 'sandboxes');
  if (!own.includes('.') || inUse(own)) return own;
  const key = createHash('sha256').update(home).digest('hex').slice(0, 16);
  const outside = join(OUTSIDE, `weft-${uid}-${key}`);
  const [results, there] = [look(data), look(OUTSIDE)];
  if (look(home).mount === home) return own;
  const usable = there.writable && !there.noexec;
  if (usable && isTogether(there, results)) return outside;
  const beside = join(dirname(home), `weft-sandboxes-${key}`);
  const parent = look(dirname(home));
  if (!beside.includes('.') && parent.uid === uid && parent.writable && !parent.noexec && isTogether(parent, results)) return beside;
  return usable ? outside : own;
}

/** A link can be made from one to the other. */
function isTogether(a: Place, b: Place): boolean {
  return a.device === b.device && a.mount === b.mount;
}

/** @param home a real path. @param data see SandboxRootQuestion */
export function sandboxRootOf(home: string, data?: string): string {
  const uid = process.getuid?.() ?? -1;
  let mounts: readonly MountLine[] | undefined;
  return chooseSandboxRoot({ home, data, uid, look: (path) => lookAt(path, (mounts ??= mountTable())), inUse: holdsSandboxes });
}

/** Makes it, and sees that nobody else has a way into it. @throws Error that says what to do */
export function makeSandboxRoot(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const parent = statSync(dirname(path));
  if ((parent.mode & 0o002) === 0) return;
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new Error(
      `${path} was made by another user, or is a link: nothing is run there. Set WEFT_SANDBOX_ROOT to a directory of your own, without dots in its path`,
    );
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
}

function lookAt(path: string, mounts: readonly MountLine[]): Place {
  const nearest = nearestThere(path);
  const { uid, dev } = statSync(nearest);
  const on = mounts.filter(({ point }) => isWithin(nearest, point)).reduce<MountLine | undefined>(longest, undefined);
  return { uid, device: dev, mount: on?.point ?? '', noexec: on?.options.includes('noexec') ?? false, writable: isWritable(nearest) };
}

/** The later one hides the earlier one of the same point. */
function longest(best: MountLine | undefined, one: MountLine): MountLine {
  return best === undefined || one.point.length >= best.point.length ? one : best;
}

function mountTable(): MountLine[] {
  try {
    return mountLines(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch (error) {
    // Another system than Linux: the device has to do.
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Without links. What may not be looked at counts as what is not there. */
function nearestThere(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : nearestThere(dirname(path));
  }
}

/** Sandboxes have names of tasks, which begin with the run's. */
function holdsSandboxes(path: string): boolean {
  try {
    return readdirSync(path).some((name) => name.startsWith('r-'));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemErrorCode(error) ?? '')) return false;
    throw error;
  }
}
