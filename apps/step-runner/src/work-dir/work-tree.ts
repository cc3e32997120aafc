/**
 * What a task left in its working directory, seen with the task's eyes: symbolic links are followed in the task's name space and staged
 * inputs are recognised.
 *
 * Invariants:
 *  1. Nothing outside the working directory and the inputs is ever looked at, also not the scratch directory: what a tool keeps
 *     there is no output, whatever links to it.
 *  2. A link is followed by this code, name by name, never by the system: what it leads to is opened beneath the directory that it lies in.
 *  3. Looking has an end: so many entries, so deep, and behind one link no other directory link is descended, so that links to links to
 *     directories are not as many paths as there are ways. Between some hundred entries others get their turn.
 *  4. What cannot be collected (a pipe, a link that leads nowhere, …) is shown as an empty file: whoever collects it is told what it is.
 */
import { withoutEndSlashes } from '@weft/plan';
import { dirname, join, normalize } from 'node:path';
import { executor } from '@weft/contracts';
import {
  encodePath,
  isRemoteUri,
  isWithin,
  type Listed,
  natureOf,
  NotPlainError,
  openBeneath,
  OpenDirectory,
  openDirectoryBeneath,
  type OpenEntry,
  pathToFileUri,
  systemErrorCode,
} from '@weft/storage';
import { type SandboxLayout, type StagedInput, type StagingPlan, streamPathsOf } from '../sandbox/sandbox-layout.js';
import { faultOf, short, WorkTreeError } from './faults.js';
import { LIMITS, Looked } from './looked.js';

const MAX_LINKS = 40;
const { FILE, DIRECTORY } = executor.EntryKind;

export interface Found {
  kind: executor.EntryKind.FILE | executor.EntryKind.DIRECTORY;
  size: number;
  /** By which the task could find it without a link. */
  taskPath: string;
  /** To tell files apart by; nothing is opened by it. */
  hostPath: string;
  /** Where it lies in storage, for (what lies below) a staged input. */
  inputUri?: string;
  /** Holds it, until it is closed. @throws NotPlainError, the system's error */
  open(): OpenEntry;
}

interface Root {
  taskPath: string;
  hostPath: string;
  input: boolean;
  /** Of an input that lies on another host: the host path is the cache's then. */
  remote?: string;
}

interface Child {
  name: string;
  utf8: boolean;
  /** Absent: a staged input that a container engine mounted there. */
  entry: Listed['entry'] | undefined;
}

export class WorkTree {
  private readonly roots: Root[];
  private readonly staged: Map<string, StagedInput>;
  private readonly workDir: string;

  constructor(
    spec: Pick<executor.TaskSpec, 'workDir' | 'stdoutPath' | 'stderrPath'>,
    private readonly layout: SandboxLayout,
    plan: StagingPlan,
    containers: boolean,
  ) {
    this.workDir = spec.workDir;
    // A stream's file has taken the place of what was there.
    const streams = streamPathsOf(spec);
    const staged = plan.staged.filter(({ taskPath }) => !streams.includes(taskPath));
    this.staged = new Map(staged.map((input) => [input.taskPath, input]));
    this.roots = [
      { taskPath: spec.workDir, hostPath: layout.hostWorkDir, input: false },
      // What was made in the working directory is looked at as anything there is: a task may have put a link in its place.
      ...plan.made.filter(({ taskPath }) => !isWithin(taskPath, spec.workDir)).map((made) => ({ ...made, input: false })),
      // So is a link that a process was given there; what it was given elsewhere, and a mount, is the input.
      ...staged
        .filter(({ taskPath, copied }) => containers || copied === true || !isWithin(taskPath, spec.workDir))
        .map(({ taskPath, sourcePath, uri }) => ({ taskPath, hostPath: sourcePath, input: true, ...remoteOf(uri) })),
    ];
    // A process follows the links of its inputs to where they really lie, and may link there itself.
    if (!containers) {
      for (const { sourcePath, realPath, readOnlyName, uri } of staged) {
        for (const taskPath of new Set([sourcePath, realPath, readOnlyName])) {
          if (taskPath !== undefined) this.roots.push({ taskPath, hostPath: sourcePath, input: true, ...remoteOf(uri) });
        }
      }
    }
    this.roots.sort((a, b) => b.taskPath.length - a.taskPath.length);
  }

  /** Everything in the working directory, sorted, directories before their entries. @throws WorkTreeError; the system's error */
  async manifest(limits = LIMITS): Promise<executor.ManifestEntry[]> {
    const entries: executor.ManifestEntry[] = [];
    const looked = new Looked('what the tool left in its working directory', limits);
    let top: OpenDirectory;
    try {
      top = OpenDirectory.at(this.layout.hostWorkDir);
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemErrorCode(error) ?? '')) throw error;
      throw new WorkTreeError('MISSING', 'the tool removed its working directory, or put something else in its place');
    }
    await this.walk(
      { prefix: '', taskDir: this.workDir, at: top, where: this.resolve(this.workDir, '.'), links: 0, depth: 1 },
      looked,
      (path, { kind, size, inputUri = '' }) => entries.push({ path, kind, size, inputUri }),
    );
    return entries;
  }

  /** Entries directly in a directory that was found, sorted by name. @throws WorkTreeError; the system's error */
  entries({ taskPath: taskDir }: Found, shown: string, looked: Looked, depth: number): { name: string; found: Found }[] {
    const { at, where } = this.openDirectory(taskDir, shown);
    try {
      return this.children({ prefix: shown, taskDir, at, where, links: 0, depth }, looked, true).map(({ name, utf8, entry }) => {
        const path = join(shown, name);
        if (!utf8) throw notUtf8(path);
        const plain = entry !== undefined && !entry.isSymbolicLink() && !this.staged.has(`${taskDir}/${name}`);
        if (plain) return { name, found: foundOf(below(where, name), at.stats(name), path) };
        const found = this.find(join(taskDir, name), path);
        if (found.kind === DIRECTORY) looked.followed(path);
        return { name, found };
      });
    } catch (error) {
      throw faultOf(error, shown) ?? error;
    } finally {
      at.close();
    }
  }

  /** @param path relative to the working directory, or absolute as the task saw it. @throws WorkTreeError; the system's error */
  find(path: string, shown = path): Found {
    const located = this.resolve(this.absolute(path), shown);
    try {
      const entry = openBeneath(located.root.hostPath, located.below, { follow: located.root.input });
      try {
        return foundOf(located, entry.stats, shown);
      } finally {
        entry.close();
      }
    } catch (error) {
      throw faultOf(error, shown) ?? error;
    }
  }

  absolute(path: string): string {
    return normalize(path.startsWith('/') ? path : join(this.workDir, path)).replace(/(.)\/$/, '$1');
  }

  private async walk(place: Place, looked: Looked, emit: (path: string, shown: Shown) => void): Promise<void> {
    const { prefix, taskDir, at, where, links, depth } = place;
    try {
      for (const { name, utf8, entry } of this.children(place, looked)) {
        await looked.pause();
        const [path, taskPath] = [prefix === '' ? name : `${prefix}/${name}`, `${taskDir}/${name}`];
        const plain = utf8 && entry !== undefined && !entry.isSymbolicLink() && !this.staged.has(taskPath);
        const shown = plain ? glanceAt(at, name, entry, below(where, name)) : utf8 ? this.follow(taskPath, path) : NOTHING;
        if (shown === undefined) continue;
        emit(path, shown);
        const byTool = !plain && !this.staged.has(taskPath);
        if (shown.kind !== DIRECTORY || (byTool && links > 0)) continue;
        if (byTool) looked.followed(path);
        const next = plain ? { at: at.directory(name), where: below(where, name) } : this.openDirectory(taskPath, path);
        await this.walk({ ...next, prefix: path, taskDir: taskPath, links: links + Number(byTool), depth: depth + 1 }, looked, emit);
      }
    } finally {
      at.close();
    }
  }

  /** What a link or a staged input leads to; a link that leads nowhere, outside or to a pipe is shown as an empty file. */
  private follow(taskPath: string, shown: string): Shown {
    try {
      return this.find(taskPath, shown);
    } catch (error) {
      if (error instanceof WorkTreeError) return NOTHING;
      throw error;
    }
  }

  private openDirectory(taskPath: string, shown: string): Pick<Place, 'at' | 'where'> {
    const where = this.resolve(taskPath, shown);
    return { at: openDirectoryBeneath(where.root.hostPath, where.below, { follow: where.root.input }), where };
  }

  /** Directory entries on the host, and the staged inputs that a container engine mounted there, sorted. */
  private children({ prefix, taskDir, at, where, depth }: Place, looked: Looked, asked = false): Child[] {
    const { input } = where.root;
    const children: Child[] = [];
    const names = new Set<string>();
    try {
      for (const { name, utf8, entry } of entriesAt(at, !input)) {
        looked.count(`${prefix}/${name}`, depth);
        names.add(name);
        children.push({ name, utf8, entry });
      }
    } catch (error) {
      const fault = faultOf(error, prefix === '' ? '.' : prefix);
      // A part of an input that nobody may read is a matter of who asks for it.
      if (!(input && !asked && fault?.kind === 'UNREADABLE')) throw fault ?? error;
    }
    for (const taskPath of this.staged.keys()) {
      const name = taskPath.slice(taskDir.length + 1);
      if (dirname(taskPath) === taskDir && !names.has(name)) children.push({ name, utf8: true, entry: undefined });
    }
    return children.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Follows links component by component. `shown` is what messages call the path. */
  private resolve(taskPath: string, shown: string, links = 0): Located {
    const parts = taskPath.split('/').filter((part) => part !== '');
    let walked = '';
    /** The directory of what is walked to, where it lies below a root. */
    let at: OpenDirectory | undefined;
    try {
      for (const [index, part] of parts.entries()) {
        walked = `${walked}/${part}`;
        const located = this.locate(walked);
        if (located === undefined || located.below === '') {
          at?.close();
          at = undefined;
          continue;
        }
        at ??= OpenDirectory.at(located.root.hostPath, { follow: located.root.input });
        const target = linkAt(at, part);
        if (target !== undefined) {
          if (links >= MAX_LINKS) throw new WorkTreeError('LOOP', `'${shown}' goes through more than ${MAX_LINKS} symbolic links`);
          const next = normalize(join(target.startsWith('/') ? target : join(dirname(walked), target), ...parts.slice(index + 1)));
          return this.resolve(next.replace(/(.)\/$/, '$1'), shown, links + 1);
        }
        if (index === parts.length - 1) break;
        const next = at.directory(part);
        at.close();
        at = next;
      }
    } catch (error) {
      if (error instanceof NotPlainError)
        throw new WorkTreeError('MISSING', `'${shown}' does not exist: '${error.entry}' on its way is ${error.nature}`);
      if (systemErrorCode(error) === 'ENOENT' && taskPath.includes('\uFFFD')) throw notUtf8(shown);
      throw faultOf(error, shown) ?? error;
    } finally {
      at?.close();
    }
    const located = this.locate(taskPath);
    if (located === undefined)
      throw new WorkTreeError(
        'OUTSIDE',
        `'${shown}' leads to '${short(taskPath)}', outside the working directory and the inputs of the task`,
      );
    return located;
  }

  private locate(taskPath: string): Located | undefined {
    const root = this.roots.find((candidate) => isWithin(taskPath, candidate.taskPath));
    if (root === undefined) return undefined;
    return { root, below: taskPath.slice(root.taskPath.length) };
  }
}

interface Located {
  root: Root;
  below: string;
}

function below({ root, below: above }: Located, name: string): Located {
  return { root, below: `${above}/${name}` };
}

function inputUriOf({ root, below: path }: Located): { inputUri?: string } {
  if (!root.input) return {};
  return { inputUri: root.remote === undefined ? pathToFileUri(root.hostPath + path) : root.remote + encodePath(path) };
}

/** A directory that is being looked through. */
interface Place {
  /** Its path below the working directory. */
  prefix: string;
  taskDir: string;
  at: OpenDirectory;
  where: Located;
  /** Links of the task's on the way to it. */
  links: number;
  depth: number;
}

type Shown = Pick<Found, 'kind' | 'size' | 'inputUri'>;

const NOTHING: Shown = { kind: FILE, size: 0 };

function remoteOf(uri: string): { remote?: string } {
  return isRemoteUri(uri) ? { remote: withoutEndSlashes(uri) } : {};
}

function notUtf8(shown: string): WorkTreeError {
  return new WorkTreeError('NAME', `'${short(shown)}' has a name that is not UTF-8, which CWL has no way to write`);
}

/** A task's own directory that it took its owner's permissions from is given them back: the owner is the runner, and it all goes soon. */
function* entriesAt(at: OpenDirectory, own: boolean): Generator<Listed, void> {
  try {
    yield* at.entries();
  } catch (error) {
    if (!own || systemErrorCode(error) !== 'EACCES') throw error;
    at.permit();
    yield* at.entries();
  }
}

/** What an entry is that is no link and no input. Undefined: it is gone. */
function glanceAt(at: OpenDirectory, name: string, entry: Listed['entry'], where: Located): Shown | undefined {
  if (entry.isDirectory()) return { kind: DIRECTORY, size: 0, ...inputUriOf(where) };
  if (!entry.isFile()) return NOTHING;
  try {
    return { kind: FILE, size: at.stats(name).size, ...inputUriOf(where) };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where an entry leads; undefined where it is no link. */
function linkAt(at: OpenDirectory, name: string): string | undefined {
  return at.stats(name).isSymbolicLink() ? at.linkTarget(name) : undefined;
}

function foundOf(located: Located, stats: OpenEntry['stats'], shown: string): Found {
  const { root, below: path } = located;
  const open = (): OpenEntry => openBeneath(root.hostPath, path, { follow: root.input });
  const common = { taskPath: root.taskPath + path, hostPath: root.hostPath + path, open, ...inputUriOf(located) };
  if (stats.isDirectory()) return { kind: DIRECTORY, size: 0, ...common };
  if (stats.isFile()) return { kind: FILE, size: stats.size, ...common };
  throw new WorkTreeError('KIND', `'${short(shown)}' is ${natureOf(stats)}: neither a file nor a directory`);
}
