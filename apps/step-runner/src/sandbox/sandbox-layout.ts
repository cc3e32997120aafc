/**
 * Where things of one attempt lie on the host, and what the task calls them. Pure.
 *
 * Invariants:
 *  1. For a process, task paths are host paths and lie inside the sandbox; for a container they are the container's.
 *  2. The name of a sandbox has no dot: people split paths at their dots.
 */
import { basename, isAbsolute, join, normalize, relative } from 'node:path';
import { executor } from '@weft/contracts';
import { isWithin } from '@weft/storage';

export interface SandboxLayout {
  /** `<task_id>.<attempt>`: by this others know the attempt. */
  key: string;
  /** `<sandbox_root>/<task_id>-<attempt>` */
  root: string;
  hostWorkDir: string;
  hostTmpDir: string;
  /** Where inputs are made that the task sees outside its working and scratch directory. */
  hostInputDir: string;
}

/** Between task and attempt in the name of a sandbox. */
export const ATTEMPT_SEPARATOR = '-';

export function layoutOf(sandboxRoot: string, taskId: string, attempt: number): SandboxLayout {
  return layoutIn(join(sandboxRoot, `${taskId}${ATTEMPT_SEPARATOR}${attempt}`), attemptKey(taskId, attempt));
}

/** Of what is asked for: a scheduler of an earlier version has its processes in a directory called as their key. */
export function layoutFor(sandboxRoot: string, { taskId, attempt, workDir }: executor.TaskSpec): SandboxLayout {
  const earlier = earlierLayoutOf(sandboxRoot, taskId, attempt);
  return workDir === earlier.hostWorkDir ? earlier : layoutOf(sandboxRoot, taskId, attempt);
}

/** Of what is found; undefined where the directory is not called as a sandbox of that attempt. */
export function layoutAt(sandboxRoot: string, name: string, { taskId, attempt }: executor.TaskSpec): SandboxLayout | undefined {
  const root = join(sandboxRoot, name);
  return [layoutOf(sandboxRoot, taskId, attempt), earlierLayoutOf(sandboxRoot, taskId, attempt)].find((layout) => layout.root === root);
}

function earlierLayoutOf(sandboxRoot: string, taskId: string, attempt: number): SandboxLayout {
  const key = attemptKey(taskId, attempt);
  return layoutIn(join(sandboxRoot, key), key);
}

function layoutIn(root: string, key: string): SandboxLayout {
  return { key, root, hostWorkDir: join(root, 'work'), hostTmpDir: join(root, 'tmp'), hostInputDir: join(root, 'in') };
}

export function attemptKey(taskId: string, attempt: number): string {
  return `${taskId}.${attempt}`;
}

/** Where the tool's streams are to lie in the end, as the task calls it. */
export function streamPathsOf({ workDir, ...spec }: Pick<executor.TaskSpec, 'workDir' | 'stdoutPath' | 'stderrPath'>): string[] {
  const paths = [spec.stdoutPath, spec.stderrPath].filter((path) => path !== '');
  return [...new Set(paths.map((path) => join(workDir, path)))];
}

/** Where they lie while the tool runs: nothing that a task can reach has a name there. */
export function streamFilesOf(
  { stdoutPath, stderrPath }: Pick<executor.TaskSpec, 'stdoutPath' | 'stderrPath'>,
  { root }: Pick<SandboxLayout, 'root'>,
): { stdout?: string; stderr?: string } {
  const stdout = stdoutPath === '' ? undefined : join(root, 'stdout');
  if (stderrPath === '') return { stdout };
  return { stdout, stderr: stdout !== undefined && normalize(stdoutPath) === normalize(stderrPath) ? stdout : join(root, 'stderr') };
}

/** What is wrong with a spec, in words for INVALID_ARGUMENT; undefined where nothing is. */
export function problemOf(spec: executor.TaskSpec, containers: boolean, layout: SandboxLayout): string | undefined {
  if (!containers && spec.argv.length === 0) return 'argv is empty';
  if (containers && spec.image === undefined) return `runtime '${spec.runtime}' needs an image`;
  for (const path of [
    spec.workDir,
    spec.tmpDir,
    ...spec.inputs.map((input) => input.path),
    ...(spec.stdinPath === '' ? [] : [spec.stdinPath]),
  ]) {
    if (!isAbsolute(path) || normalize(path) !== path || (path !== '/' && path.endsWith('/')))
      return `'${path}' is not an absolute normalised path`;
    if (path.includes('\0')) return 'a path holds a NUL';
  }
  for (const path of [spec.stdoutPath, spec.stderrPath]) {
    if (path !== '' && (isAbsolute(path) || path.split('/').includes('..') || path.includes('\0')))
      return `'${path}' is not a path below work_dir`;
  }
  if (!containers) return processProblem(spec, layout);
  return undefined;
}

function processProblem(spec: executor.TaskSpec, layout: SandboxLayout): string | undefined {
  const wrong = [
    ['work_dir', spec.workDir, layout.hostWorkDir],
    ['tmp_dir', spec.tmpDir, layout.hostTmpDir],
  ].find(([, given, wanted]) => given !== wanted);
  if (wrong !== undefined) return `${wrong[0]} of a process must be '${wrong[2]}', not '${wrong[1]}'`;
  const places = [layout.hostWorkDir, layout.hostTmpDir, layout.hostInputDir];
  const outside = spec.inputs.find((input) => !places.some((place) => input.path !== place && isWithin(input.path, place)));
  return outside === undefined ? undefined : `input '${outside.path}' is outside the sandbox '${layout.root}'`;
}

/** An input that the task sees as it lies in storage: by link, by mount, or as a copy that is not to be changed. */
export interface StagedInput {
  taskPath: string;
  sourcePath: string;
  uri: string;
  /** Of a process' input: where it really lies. */
  realPath?: string;
  /** Of a process' input: the name that nothing can be written through, where there is one. */
  readOnlyName?: string;
  inPlace: boolean;
  /** A process was given a copy of it. */
  copied?: boolean;
}

export type Placement =
  | { act: 'directory'; hostPath: string }
  | { act: 'write'; hostPath: string; contents: string | Buffer }
  | { act: 'copy'; hostPath: string; sourcePath: string }
  | { act: 'link'; hostPath: string; sourcePath: string }
  /** A copy where that is cheap, else a link. */
  | { act: 'shield'; hostPath: string; sourcePath: string }
  /** Something for a container engine to mount over. */
  | { act: 'placeholder'; hostPath: string; kind: 'file' | 'directory' };

export interface StagingPlan {
  placements: Placement[];
  mounts: { hostPath: string; taskPath: string; readOnly: boolean }[];
  staged: StagedInput[];
  /** Inputs that were made in the sandbox: literals, and copies that the task may change. */
  made: { taskPath: string; hostPath: string }[];
}

/** An input whose source, where it has one, is known to exist at a host path. */
export interface ResolvedInput {
  input: executor.Input;
  sourcePath?: string;
  /** See StagedInput. */
  realPath?: string;
  readOnlyName?: string;
  /** Of a literal whose bytes are not in the spec as text. */
  contents?: Buffer;
}

export function planStaging(spec: executor.TaskSpec, inputs: ResolvedInput[], layout: SandboxLayout, containers: boolean): StagingPlan {
  const plan: StagingPlan = { placements: [], mounts: [], staged: [], made: [] };
  // Host directories that hold what the task sees at a path; the longest match wins.
  const homes: [taskPath: string, hostPath: string][] = [
    [spec.workDir, layout.hostWorkDir],
    [spec.tmpDir, layout.hostTmpDir],
  ];
  if (containers) for (const [taskPath, hostPath] of homes) plan.mounts.push({ hostPath, taskPath, readOnly: false });
  const sorted = [...inputs].sort((a, b) => (a.input.path < b.input.path ? -1 : 1));
  for (const [index, { input, sourcePath, realPath, readOnlyName, contents }] of sorted.entries()) {
    const directory = input.kind === executor.InputKind.DIRECTORY;
    const home = homeOf(input.path, homes);
    const hostPath = containers ? (home ?? join(layout.hostInputDir, String(index), basename(input.path))) : input.path;
    const original = sourcePath !== undefined && (input.inPlace || !input.writable);
    if (original) {
      const { path: taskPath, inPlace } = input;
      plan.staged.push({ taskPath, sourcePath, uri: input.source?.value ?? '', realPath, readOnlyName, inPlace });
      if (!containers) plan.placements.push(placementOf({ hostPath, sourcePath, readOnlyName, inPlace }));
      else {
        if (home !== undefined) plan.placements.push({ act: 'placeholder', hostPath, kind: directory ? 'directory' : 'file' });
        plan.mounts.push({ hostPath: sourcePath, taskPath: input.path, readOnly: !input.inPlace });
      }
      continue;
    }
    plan.made.push({ taskPath: input.path, hostPath });
    if (sourcePath !== undefined) plan.placements.push({ act: 'copy', hostPath, sourcePath });
    else if (directory) plan.placements.push({ act: 'directory', hostPath });
    else plan.placements.push({ act: 'write', hostPath, contents: contents ?? input.source?.value ?? '' });
    if (containers && home === undefined) plan.mounts.push({ hostPath, taskPath: input.path, readOnly: !input.writable });
    if (directory) homes.push([input.path, hostPath]);
  }
  return plan;
}

/** Of a process' input that is not its own. */
function placementOf(input: { hostPath: string; sourcePath: string; readOnlyName?: string; inPlace: boolean }): Placement {
  const { hostPath, sourcePath, readOnlyName, inPlace } = input;
  if (inPlace) return { act: 'link', hostPath, sourcePath };
  return readOnlyName === undefined ? { act: 'shield', hostPath, sourcePath } : { act: 'link', hostPath, sourcePath: readOnlyName };
}

function homeOf(taskPath: string, homes: [string, string][]): string | undefined {
  let best: [string, string] | undefined;
  for (const home of homes) if (isWithin(taskPath, home[0]) && (best === undefined || home[0].length > best[0].length)) best = home;
  return best === undefined ? undefined : join(best[1], relative(best[0], taskPath));
}
