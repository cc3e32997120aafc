/**
 * InitialWorkDirRequirement: what lies in the working directory before the tool starts.
 * Source: CWL v1.2 CommandLineTool §5.6 "InitialWorkDirRequirement" and "Dirent".
 *
 * Invariants:
 *  1. Nothing is placed outside the working directory unless a container is required and the name is absolute.
 *  2. Inputs that are placed here are not staged a second time: their paths move.
 */
import type { CwlObject, CwlValue, DirectoryValue, Dirent, EffectiveRequirements, Entry, WorkDirItem } from '@weft/plan';
import { find, isDirectory, isFileOrDirectory, isObject, pathProblem, pushTo, settleEntries, visitFiles } from '@weft/plan';
import { interpolatedText, needsEvaluation } from '@weft/expressions';
import type { FileAccess } from './api.js';
import { TaskError } from './api.js';
import { fillNames, setPath, uniteTwins } from './file-values.js';
import { baseName, dirName, escapes, normalizePath } from './names.js';
import type { Scope } from './scope.js';
import { brief, evaluate, evaluateString } from './scope.js';
import type { StagingArea } from './staging.js';

/** One thing to place: a value, the name it gets (its own where absent), and whether the task may change it. */
interface Placement {
  entry: Entry;
  name?: string;
  writable: boolean;
}

export interface WorkDirContext {
  scope: Scope;
  effective: EffectiveRequirements;
  staging: StagingArea;
  workDir: string;
  access: FileAccess;
  /** The task runs in a container because the author requires it. */
  containerRequired: boolean;
}

export async function stageWorkDir(context: WorkDirContext): Promise<void> {
  const requirement = find(context.effective, 'InitialWorkDirRequirement');
  if (!requirement) return;
  const inPlace = find(context.effective, 'InplaceUpdateRequirement')?.value.inplaceUpdate ?? false;
  const moved = new Map<string, string>();
  const placed = (location: string, path: string): void => void moved.set(location, path);
  const targets = (await placements(context.scope, requirement.value.listing)).map((placement) => targetOf(placement, context));
  for (const { entry, directory, writable } of await unitedTargets(targets, context.access)) {
    await uniteTwins(entry, context.access);
    nameSecondaries(entry);
    context.staging.place(entry, directory, { writable, inPlace: writable && inPlace, placed, clash });
  }
  moveInputs(context.scope.inputs, moved);
  context.staging.dropUnused(context.scope.inputs);
}

interface Target {
  entry: Entry;
  directory: string;
  writable: boolean;
}

function targetOf(placement: Placement, context: WorkDirContext): Target {
  const entry: Entry = structuredClone(placement.entry);
  const problem = settleEntries(entry, { locations: true });
  if (problem !== undefined) throw new TaskError('INITIAL_WORK_DIR', `InitialWorkDirRequirement: ${problem}`);
  fillNames(entry, '');
  const { directory, name } = target(placement.name ?? entry.basename ?? '', entry, context);
  entry.basename = name;
  fillNames(entry, name);
  return { entry, directory, writable: placement.writable };
}

/** Equally named directories at one place are one directory, as in any listing. */
async function unitedTargets(targets: Target[], access: FileAccess): Promise<Target[]> {
  const byPath = new Map<string, Target[]>();
  for (const one of targets) pushTo(byPath, `${one.directory}/${one.entry.basename ?? ''}`, one);
  const united: Target[] = [];
  for (const [path, group] of byPath) {
    const [first] = group;
    if (first === undefined || group.length === 1 || !group.every(({ entry }) => isDirectory(entry))) {
      for (const one of group) united.push(one);
      continue;
    }
    const folder: DirectoryValue = { class: 'Directory', basename: 'listing', listing: group.map(({ entry }) => entry) };
    const problem = settleEntries(folder, { locations: false });
    if (problem !== undefined) throw new TaskError('INITIAL_WORK_DIR', `InitialWorkDirRequirement, at ${path}: ${problem}`);
    await uniteTwins(folder, access);
    const writable = group.some((one) => one.writable);
    for (const entry of folder.listing ?? []) united.push({ entry, directory: first.directory, writable });
  }
  return united;
}

function clash(path: string): TaskError {
  return new TaskError('INITIAL_WORK_DIR', `InitialWorkDirRequirement puts two different things at ${path}`);
}

function nameSecondaries(entry: Entry): void {
  let unnamed = 0;
  visitFiles(entry, (nested) => fillNames(nested, `literal-${++unnamed}`));
}

/** Inputs that were placed in the working directory are found there from now on, entries of their listings too. */
function moveInputs(inputs: CwlObject, moved: Map<string, string>): void {
  visitFiles(inputs, (entry) => {
    const path = entry.location === undefined ? undefined : moved.get(entry.location);
    if (path === undefined) return;
    setPath(entry, path);
    if (!isDirectory(entry)) return;
    for (const child of entry.listing ?? [])
      if (child.location && !moved.has(child.location)) moved.set(child.location, `${path}/${child.basename ?? ''}`);
  });
}

function target(wanted: string, entry: Entry, context: WorkDirContext): { directory: string; name: string } {
  const path = normalizePath(wanted);
  if (path === '' || path === '/')
    throw new TaskError('INITIAL_WORK_DIR', `InitialWorkDirRequirement: an entry has no name (${brief(entry)})`);
  if (escapes(path)) throw new TaskError('INITIAL_WORK_DIR', `InitialWorkDirRequirement: "${wanted}" leaves the working directory`);
  const problem = pathProblem(path.replace(/^\//, ''));
  if (problem !== undefined) throw new TaskError('INITIAL_WORK_DIR', `InitialWorkDirRequirement: a name in ${brief(wanted)} ${problem}`);
  if (path.startsWith('/') && !context.containerRequired) {
    throw new TaskError(
      'INITIAL_WORK_DIR',
      `InitialWorkDirRequirement: absolute name "${wanted}" needs DockerRequirement under requirements, and a container to run in`,
    );
  }
  const full = path.startsWith('/') ? path : `${context.workDir}/${path}`;
  return { directory: dirName(full) === '/' ? '' : dirName(full), name: baseName(full) };
}

async function placements(scope: Scope, listing: string | WorkDirItem[]): Promise<Placement[]> {
  if (typeof listing === 'string') return fromResult(await evaluate(scope, listing), listing);
  const all: Placement[] = [];
  for (const item of listing) {
    const found =
      typeof item === 'string'
        ? fromResult(await evaluate(scope, item), item)
        : isDirent(item)
          ? await fromDirent(scope, item)
          : fromResult(item, 'listing');
    for (const one of found) all.push(one);
  }
  return all;
}

function isDirent(item: WorkDirItem): item is Dirent {
  return isObject(item) && typeof item['entry'] === 'string' && item['class'] === undefined;
}

/** What an expression may give: null, File, Directory, Dirent, and lists of those. */
function fromResult(value: CwlValue, from: string): Placement[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => fromResult(item, from));
  if (isFileOrDirectory(value)) return [{ entry: value, writable: value['writable'] === true }];
  if (isObject(value) && value['entry'] !== undefined) return fromDirentValue(value, from);
  throw new TaskError(
    'INITIAL_WORK_DIR',
    `InitialWorkDirRequirement: ${brief(from)} must give Files, Directories or Dirents; got ${brief(value)}`,
    from,
  );
}

function fromDirentValue(value: CwlObject, from: string): Placement[] {
  const { entryname, entry, writable } = value;
  if (entryname !== undefined && entryname !== null && typeof entryname !== 'string') {
    throw new TaskError(
      'INITIAL_WORK_DIR',
      `InitialWorkDirRequirement: entryname must be a string; ${brief(from)} gave ${brief(entryname)}`,
      from,
    );
  }
  return place(entry ?? null, entryname ?? undefined, writable === true, from);
}

async function fromDirent(scope: Scope, dirent: Dirent): Promise<Placement[]> {
  const name = dirent.entryname === undefined ? undefined : await evaluateString(scope, dirent.entryname, 'entryname');
  return place(await evaluateEntry(scope, dirent.entry), name, dirent.writable ?? false, dirent.entry);
}

/**
 * White space around a lone expression is part of the file here: "$(x)\n" is a text that ends in a new line, also where x is a File (the
 * conformance test iwd-passthrough2).
 */
async function evaluateEntry(scope: Scope, entry: string): Promise<CwlValue> {
  if (!needsEvaluation(entry)) return entry;
  const core = entry.trim();
  const value = await evaluate(scope, core);
  if (core.length === entry.length) return value;
  const start = entry.indexOf(core);
  return `${entry.slice(0, start)}${interpolatedText(value)}${entry.slice(start + core.length)}`;
}

function place(value: CwlValue, name: string | undefined, writable: boolean, from: string): Placement[] {
  if (value === null) return [];
  const named = name === undefined || name === '' ? {} : { name };
  if (isFileOrDirectory(value)) return [{ entry: value, ...named, writable }];
  if (Array.isArray(value) && value.every(isFileOrDirectory) && (value.length > 0 || named.name === undefined)) {
    if (named.name !== undefined)
      throw new TaskError(
        'INITIAL_WORK_DIR',
        `InitialWorkDirRequirement: entryname "${named.name}" cannot name a list of Files (${brief(from)})`,
        from,
      );
    return value.map((entry) => ({ entry, writable }));
  }
  if (named.name === undefined)
    throw new TaskError('INITIAL_WORK_DIR', `InitialWorkDirRequirement: entry ${brief(from)} needs an entryname`, from);
  return [{ entry: { class: 'File', contents: interpolatedText(value) }, ...named, writable }];
}
