/**
 * What of this host no input may be, whoever names it: process file systems, what is neither file nor directory, and the stack's own directories
 * but for what it publishes.
 *
 * Invariants:
 *  1. Real paths are judged, by their names and by the file system that they lie on: no link, bind mount or other name leads around it.
 *  2. Of a directory every entry is looked at: one that holds a socket, a device or a pipe, or in which something of the above lies or is mounted, is
 *     none. Links are not followed: in a container they lead nowhere, and whoever copies a directory asks for each.
 *  3. What lies among the results is asked for by its name there: a link from elsewhere, or from another run's results, leads to none of them, and a
 *     directory that holds all of them is no input.
 */
import type { Dirent } from 'node:fs';
import { readdir, readFile, statfs } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { fileUriToPath } from './file-uri.js';
import { isWithin } from './host-paths.js';
import { mountLines } from './mountinfo.js';
import { StorageError } from './ports.js';
import { systemErrorCode } from './system-error.js';

export interface OwnPaths {
  /** Directories and files of the stack. */
  closed: readonly string[];
  /** Within them, what tasks may be given. */
  open: readonly string[];
  /** Where results lie: `runs/<run>/…` in it. Which runs' a task may be given is the scheduler's to say, by that name and no other. */
  results?: string;
}

/** Files, and for shared memory that of users, are what people put there. */
const KERNEL_PLACES = ['/proc', '/sys', '/dev'];
const SHARED_MEMORY = '/dev/shm';
/** File systems whose files are the kernel's words: their magic numbers, and their names in the table of mounts. */
const KERNEL_TYPES = new Set([
  0x9fa0 /* proc */, 0x62656572 /* sysfs */, 0x1cd1 /* devpts */, 0x27e0eb /* cgroup */, 0x63677270 /* cgroup2 */, 0x64626720 /* debugfs */,
  0x74726163 /* tracefs */, 0x73636673 /* securityfs */, 0xcafe4a11 /* bpf */, 0x6e736673 /* nsfs */, 0x62656570 /* configfs */,
  0x19800202 /* mqueue */, 0xde5e81e4 /* efivarfs */, 0x42494e4d /* binfmt_misc */, 0x6165676c /* pstore */, 0xf97cff8c /* selinux */,
]);
const KERNEL_MOUNTS =
  /^(proc|sysfs|devtmpfs|devpts|cgroup2?|debugfs|tracefs|securityfs|bpf|nsfs|configfs|mqueue|efivarfs|binfmt_misc|pstore|selinuxfs|autofs|rpc_pipefs|fusectl)$/;

/** More are looked through for no task. */
const LOOKED_AT_ENTRIES = 1_000_000;
/** How long a directory counts as looked through, milliseconds: the tasks of a scatter have it together. */
const LOOK_COUNTS_MS = 60_000;
const LOOKS_KEPT = 100;

export class Reach {
  private readonly looks = new Map<string, { at: number; done: Promise<void> }>();

  /** @param own real paths. @param resultNames by which the results are known besides */
  constructor(
    private readonly own: OwnPaths,
    private readonly resultNames: readonly string[] = [],
    private readonly mostEntries = LOOKED_AT_ENTRIES,
  ) {}

  /** @param real without links. @throws StorageError ACCESS; the system's error */
  async check(real: string, uri: string): Promise<void> {
    if (isKernels(real)) throw refused(uri, 'lies in a file system of the kernel (/proc, /sys, /dev)');
    if (this.isOwn(real)) throw refused(uri, 'belongs to the stack itself');
    // What is missing is judged by its name alone.
    const type = await statfs(real).then(
      (found) => found.type >>> 0,
      (error: unknown) => {
        if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return 0;
        throw error;
      },
    );
    if (KERNEL_TYPES.has(type)) throw refused(uri, 'lies in a file system of the kernel');
  }

  /** Of what is read. @throws StorageError ACCESS */
  checkName(real: string, uri: string): void {
    const among = this.runOf(real);
    if (among !== undefined && this.runOf(normalize(fileUriToPath(uri))) !== among)
      throw refused(uri, 'leads to results of runs by another name than theirs');
  }

  /** @param real of a directory that passes `check`. @throws StorageError ACCESS, UNSUPPORTED; the system's error */
  async checkTree(real: string, uri: string): Promise<void> {
    const known = this.looks.get(real);
    if (known !== undefined && Date.now() - known.at < LOOK_COUNTS_MS) return known.done;
    const done = this.lookThrough(real, uri);
    // The longest ago goes first.
    this.looks.delete(real);
    this.looks.set(real, { at: Date.now(), done });
    for (const [oldest] of this.looks) if (this.looks.size > LOOKS_KEPT) this.looks.delete(oldest);
    done.catch(() => this.looks.get(real)?.done === done && this.looks.delete(real));
    return done;
  }

  /** The run among whose results a path lies, or what else is in that directory; undefined: it lies elsewhere. */
  private runOf(path: string): string | undefined {
    for (const name of [this.own.results, ...this.resultNames]) {
      if (name === undefined || !isWithin(path, name)) continue;
      const [top = '', run = ''] = path
        .slice(name.length)
        .split('/')
        .filter((part) => part !== '');
      return top === 'runs' ? `runs/${run}` : top;
    }
    return undefined;
  }

  private isOwn(real: string): boolean {
    return this.own.closed.some((path) => isWithin(real, path)) && !this.own.open.some((path) => isWithin(real, path));
  }

  private async lookThrough(real: string, uri: string): Promise<void> {
    const holds = [...KERNEL_PLACES, ...this.own.closed].find((path) => path !== real && isWithin(path, real) && !this.isOpenBelow(real));
    if (holds !== undefined) throw refused(uri, `holds ${KERNEL_PLACES.includes(holds) ? holds : "the stack's own directories"}`);
    if (this.own.results !== undefined && this.own.results !== real && isWithin(this.own.results, real))
      throw refused(uri, 'holds the results of other runs');
    const mounted = (await mountsOfKernel()).find((point) => point !== real && isWithin(point, real));
    if (mounted !== undefined) throw refused(uri, `holds ${mounted}, a file system of the kernel`);
    let seen = 0;
    const directories = [real];
    for (const directory of directories) {
      const entries = await entriesOf(directory);
      seen += entries.length;
      if (seen > this.mostEntries)
        throw new StorageError('UNSUPPORTED', `${uri} has more than ${this.mostEntries} entries: name what is needed of it`, uri);
      for (const entry of entries) {
        const kind = oddKind(entry);
        if (kind !== undefined) throw refused(uri, `holds ${kind}, ${join(directory, entry.name).slice(real.length + 1)}`);
        if (entry.isDirectory()) directories.push(join(directory, entry.name));
      }
    }
  }

  /** A directory of results holds nothing of the stack's. */
  private isOpenBelow(real: string): boolean {
    return this.own.open.some((path) => isWithin(real, path));
  }
}

/** In words; undefined: a file, a directory or a link. */
function oddKind(entry: Pick<Dirent, 'isSocket' | 'isFIFO' | 'isCharacterDevice' | 'isBlockDevice'>): string | undefined {
  if (entry.isSocket()) return 'a socket';
  if (entry.isFIFO()) return 'a pipe';
  return entry.isCharacterDevice() || entry.isBlockDevice() ? 'a device' : undefined;
}

/** Whether a path without links is the kernel's by its name. */
function isKernels(real: string): boolean {
  return KERNEL_PLACES.some((place) => isWithin(real, place)) && !isWithin(real, SHARED_MEMORY);
}

/** Those that may not be read by the runner may not be read by the task either. */
async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (['EACCES', 'ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return [];
    throw error;
  }
}

/** Where the kernel's file systems are mounted, now. */
async function mountsOfKernel(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch((error: unknown) => {
    // Another system than Linux has none.
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw error;
  });
  return mountLines(text).flatMap(({ point, type }) => (KERNEL_MOUNTS.test(type) ? [point] : []));
}

function refused(uri: string, why: string): StorageError {
  return new StorageError('ACCESS', `${uri} ${why}, and cannot be an input`, uri);
}
