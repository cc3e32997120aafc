/**
 * What a task left in its working directory, seen with the task's eyes: symbolic links are followed in the task's name space and staged
 * inputs are recognised.
 *
 * Invariant: nothing outside the working directory and the inputs is ever looked at, also not the scratch directory: what a tool keeps
 * there is no output, whatever links to it.
 */
import { type Dirent, lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { executor } from '@weft/contracts';
import { encodePath, isRemoteUri, pathToFileUri, systemErrorCode } from '@weft/storage';
import { isWithin, type SandboxLayout, type StagedInput, type StagingPlan } from './sandbox-layout.js';

const MAX_LINKS = 40;
const { FILE, DIRECTORY } = executor.EntryKind;

export interface Found {
  kind: executor.EntryKind.FILE | executor.EntryKind.DIRECTORY;
  size: number;
  hostPath: string;
  /** Where it lies in storage, for (what lies below) a staged input. */
  inputUri?: string;
}

export class WorkTreeError extends Error {
  override readonly name = 'WorkTreeError';
  constructor(
    readonly code: 'NOT_FOUND' | 'OUTSIDE',
    message: string,
  ) {
    super(message);
  }
}

interface Root {
  taskPath: string;
  hostPath: string;
  input: boolean;
  /** Of an input that lies on another host: the host path is the cache's then. */
  remote?: string;
}

export class WorkTree {
  private readonly roots: Root[];
  private readonly staged: Map<string, StagedInput>;
  private readonly workDir: string;

  constructor(spec: Pick<executor.TaskSpec, 'workDir'>, layout: SandboxLayout, plan: StagingPlan, containers: boolean) {
    this.workDir = spec.workDir;
    this.staged = new Map(plan.staged.map((input) => [input.taskPath, input]));
    this.roots = [
      { taskPath: spec.workDir, hostPath: layout.hostWorkDir, input: false },
      ...plan.made.map(({ taskPath, hostPath }) => ({ taskPath, hostPath, input: false })),
      ...plan.staged.map(({ taskPath, sourcePath, uri }) => ({ taskPath, hostPath: sourcePath, input: true, ...remoteOf(uri) })),
    ];
    // A process follows the links of its inputs to where they really lie, and may link there itself.
    if (!containers) {
      for (const { sourcePath, realPath, readOnlyName, uri } of plan.staged) {
        for (const taskPath of new Set([sourcePath, realPath, readOnlyName])) {
          if (taskPath !== undefined) this.roots.push({ taskPath, hostPath: sourcePath, input: true, ...remoteOf(uri) });
        }
      }
    }
    this.roots.sort((a, b) => b.taskPath.length - a.taskPath.length);
  }

  /** Everything in the working directory, sorted, directories before their entries; sockets, FIFOs and devices are left out. */
  manifest(): executor.ManifestEntry[] {
    const entries: executor.ManifestEntry[] = [];
    this.walk(
      '',
      this.workDir,
      (path, found) => entries.push({ path, kind: found.kind, size: found.size, inputUri: found.inputUri ?? '' }),
      [],
    );
    return entries;
  }

  /** Entries directly in a directory that was found, sorted by name. A link that leads nowhere is a WorkTreeError. */
  entries(taskPath: string): { name: string; found: Found }[] {
    return this.children(taskPath).map(({ name }) => ({ name, found: this.find(join(taskPath, name)) }));
  }

  /** @param path relative to the working directory, or absolute as the task saw it. @throws WorkTreeError */
  find(path: string): Found {
    const taskPath = this.absolute(path);
    const located = this.resolve(taskPath, path);
    const stats = statSync(located.hostPath, { throwIfNoEntry: false });
    if (stats === undefined) throw new WorkTreeError('NOT_FOUND', `'${path}' does not exist`);
    const found = foundOf(located, stats);
    if (found === undefined) throw new WorkTreeError('NOT_FOUND', `'${path}' is neither a file nor a directory`);
    return found;
  }

  absolute(path: string): string {
    return normalize(path.startsWith('/') ? path : join(this.workDir, path)).replace(/(.)\/$/, '$1');
  }

  private walk(prefix: string, taskDir: string, emit: (path: string, found: Found) => void, above: string[]): void {
    for (const { name, entry } of this.children(taskDir)) {
      const [path, taskPath] = [prefix === '' ? name : `${prefix}/${name}`, `${taskDir}/${name}`];
      const found = this.glance(path, taskPath, entry);
      if (found === undefined) continue;
      emit(path, found);
      // A link to a directory above itself has no end.
      if (found.kind === DIRECTORY && !above.includes(found.hostPath)) this.walk(path, taskPath, emit, [...above, found.hostPath]);
    }
  }

  /** A link that leads nowhere or outside is shown as an empty file: collecting it says what is wrong. */
  private glance(path: string, taskPath: string, entry: Dirent | undefined): Found | undefined {
    try {
      if (entry !== undefined && !entry.isSymbolicLink() && !this.staged.has(taskPath)) {
        const root = this.locate(taskPath);
        if (root === undefined || !(entry.isFile() || entry.isDirectory())) return undefined;
        return foundOf(root, entry.isDirectory() ? undefined : lstatSync(root.hostPath));
      }
      return this.find(taskPath);
    } catch (error) {
      if (error instanceof WorkTreeError) return { kind: FILE, size: 0, hostPath: path };
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Directory entries on the host, and the staged inputs that a container engine mounted there. */
  private children(taskDir: string): { name: string; entry: Dirent | undefined }[] {
    const located = this.resolve(taskDir, taskDir);
    const byName = new Map<string, Dirent | undefined>();
    for (const entry of readdirSync(located.hostPath, { withFileTypes: true })) byName.set(entry.name, entry);
    for (const taskPath of this.staged.keys()) {
      if (dirname(taskPath) === taskDir && !byName.has(taskPath.slice(taskDir.length + 1)))
        byName.set(taskPath.slice(taskDir.length + 1), undefined);
    }
    return [...byName].map(([name, entry]) => ({ name, entry })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Follows links component by component. `shown` is what messages call the path. */
  private resolve(taskPath: string, shown: string, links = 0): Located {
    let walked = '';
    const parts = taskPath.split('/').filter((part) => part !== '');
    for (const [index, part] of parts.entries()) {
      walked = `${walked}/${part}`;
      const located = this.locate(walked);
      if (located === undefined || located.exact) continue;
      const stats = lstatSync(located.hostPath, { throwIfNoEntry: false });
      if (stats === undefined) throw new WorkTreeError('NOT_FOUND', `'${shown}' does not exist`);
      if (!stats.isSymbolicLink()) continue;
      if (links >= MAX_LINKS) throw new WorkTreeError('NOT_FOUND', `'${shown}' goes through too many symbolic links`);
      const target = readlinkSync(located.hostPath);
      const next = normalize(join(target.startsWith('/') ? target : join(dirname(walked), target), ...parts.slice(index + 1)));
      return this.resolve(next.replace(/(.)\/$/, '$1'), shown, links + 1);
    }
    const located = this.locate(taskPath);
    if (located === undefined)
      throw new WorkTreeError('OUTSIDE', `'${shown}' leads to '${taskPath}', outside the working directory and the inputs of the task`);
    return located;
  }

  private locate(taskPath: string): Located | undefined {
    const root = this.roots.find((candidate) => isWithin(taskPath, candidate.taskPath));
    if (root === undefined) return undefined;
    const below = taskPath.slice(root.taskPath.length);
    const hostPath = root.hostPath + below;
    const inputUri = !root.input ? undefined : root.remote === undefined ? pathToFileUri(hostPath) : root.remote + encodePath(below);
    return { hostPath, inputUri, exact: below === '' };
  }
}

interface Located {
  hostPath: string;
  inputUri: string | undefined;
  exact: boolean;
}

function remoteOf(uri: string): { remote?: string } {
  return isRemoteUri(uri) ? { remote: uri.replace(/\/+$/, '') } : {};
}

/** `stats` absent: known to be a directory. */
function foundOf({ hostPath, inputUri }: Located, stats: Stats | undefined): Found | undefined {
  const directory = stats === undefined || stats.isDirectory();
  if (!directory && !stats.isFile()) return undefined;
  const where = inputUri === undefined ? { hostPath } : { hostPath, inputUri };
  return directory ? { kind: DIRECTORY, size: 0, ...where } : { kind: FILE, size: stats.size, ...where };
}
