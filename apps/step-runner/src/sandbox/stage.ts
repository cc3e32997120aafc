/**
 * Makes the sandbox of one attempt and puts its inputs there.
 *
 * Invariants:
 *  1. A writable input never shares bytes with its source (unless it is changed in place on purpose). A read-only one is never copied where
 *     the task cannot write through its name; a process that could gets a copy where that is cheap (shield.ts).
 *  2. file: URIs only below the allowed roots where these are configured, by real path, also behind links of what is copied; nothing of the kernel's
 *     or the stack's own. In place is changed what the same run published, and nothing else. What lies on another host is linked from the input cache.
 *  3. What is missing is a RuntimeFailure INPUT_FILE that names the URI.
 */
import { chmodSync, lstatSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { executor } from '@weft/contracts';
import { type ReadOnlyNames, RuntimeFailure, type TaskRuntime } from '@weft/runtimes';
import {
  decodeDataUri,
  isDataUri,
  isFull,
  isRemoteUri,
  isWithin,
  mapLimited,
  messageOf,
  pathToFileUri,
  StorageError,
  systemErrorCode,
} from '@weft/storage';
import { type CheckReal, copyWritable, separate } from './copy-input.js';
import { fullWords } from '../disk/disks.js';
import type { RunnerFiles } from '../inputs/runner-files.js';
import { type Placement, planStaging, type ResolvedInput, type SandboxLayout, type StagingPlan } from './sandbox-layout.js';
import { placeShielded } from './shield.js';

/** What an earlier life left under the same key is removed first: it was never released, and nobody runs in it. */
export function makeSandbox(layout: SandboxLayout, discard: (path: string) => void): void {
  try {
    mkdirSync(layout.root);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw diskFailure(error);
    discard(layout.root);
    mkdirSync(layout.root);
  }
  mkdirSync(layout.hostWorkDir);
  mkdirSync(layout.hostTmpDir);
}

/** Inputs of one task that are fetched together. */
const FETCHED_AT_ONCE = 4;

type StagingRuntime = Pick<TaskRuntime, 'containers' | 'readOnlyNames'>;

/** @throws RuntimeFailure; what `signal` was aborted with */
export async function stageInputs(
  spec: executor.TaskSpec,
  layout: SandboxLayout,
  runtime: StagingRuntime,
  files: RunnerFiles,
  signal: AbortSignal,
): Promise<StagingPlan> {
  checkStreams(spec);
  const plan = await resolvePlan(spec, layout, runtime, files, signal);
  try {
    files.remember(layout.key, layout.root);
    for (const placement of plan.placements) {
      // As part of the input that leads there: results of other runs are none of it.
      const uri = (): string => ('sourcePath' in placement ? pathToFileUri(placement.sourcePath) : '');
      await place(placement, (real) => files.storage.local.checkReal(real, uri()));
    }
    for (const { inPlace, sourcePath, uri } of plan.staged) if (inPlace) await openForChange(sourcePath, spec.runId, uri, files);
    markCopies(plan);
    // By no link into an input: that was looked at first.
    for (const path of [spec.stdoutPath, spec.stderrPath]) {
      if (path.includes('/')) mkdirSync(dirname(join(layout.hostWorkDir, path)), { recursive: true });
    }
  } catch (error) {
    if (error instanceof StorageError) throw inputFailure(error, error.code === 'IO');
    throw diskFailure(error);
  }
  return plan;
}

/**
 * The file of a stream takes the place of whatever has its name when the tool has ended, an input's too: what the tool was given stays as it is where
 * it came from. Only a directory is nobody's place to take, and what is in an input cannot be added to.
 * @throws RuntimeFailure INPUT_FILE
 */
function checkStreams(spec: executor.TaskSpec): void {
  for (const [stream, path] of Object.entries({ stdout: spec.stdoutPath, stderr: spec.stderrPath })) {
    if (path === '') continue;
    const at = join(spec.workDir, path);
    for (const input of spec.inputs) {
      if (input.kind !== executor.InputKind.DIRECTORY || !isWithin(at, input.path)) continue;
      if (at === input.path)
        throw new RuntimeFailure('INPUT_FILE', `${stream} cannot be '${path}': an input directory has that name`, false);
      if (input.source !== undefined && (!input.writable || input.inPlace))
        throw new RuntimeFailure('INPUT_FILE', `${stream} cannot be '${path}': it lies in an input directory`, false);
    }
  }
}

/** What was shielded is a copy or a link: of a copy alone, what lies at its name is the input. */
function markCopies({ placements, staged }: StagingPlan): void {
  for (const placement of placements) {
    if (placement.act !== 'shield' || lstatSync(placement.hostPath).isSymbolicLink()) continue;
    for (const input of staged) if (input.taskPath === placement.hostPath) input.copied = true;
  }
}

/** The plan alone, as it was when the attempt was staged: for an attempt that is adopted. */
export async function resolvePlan(
  spec: executor.TaskSpec,
  layout: SandboxLayout,
  runtime: StagingRuntime,
  files: RunnerFiles,
  signal: AbortSignal,
): Promise<StagingPlan> {
  const resolved: ResolvedInput[] = [];
  const remote: RemoteInput[] = [];
  for (const input of spec.inputs) await resolveInput(input, spec.inputs, files, resolved, remote);
  await mapLimited(remote, FETCHED_AT_ONCE, async (one) => {
    one.resolved.sourcePath = await fetched(one, layout.key, files, signal);
  });
  if (!runtime.containers) nameInputs(resolved, await runtime.readOnlyNames?.());
  return planStaging(spec, resolved, layout, runtime.containers);
}

/** What a process is given by link: by which name, and where that leads in truth. @throws the system's error */
function nameInputs(inputs: ResolvedInput[], names: ReadOnlyNames | undefined): void {
  for (const one of inputs) {
    if (one.sourcePath === undefined || (one.input.writable && !one.input.inPlace)) continue;
    one.realPath = realpathSync.native(one.sourcePath);
    if (!one.input.inPlace) one.readOnlyName = names?.nameOf(one.realPath);
  }
}

/** A directory that other inputs are put into is taken apart into its entries, so that nothing is ever made in the source. */
async function resolveInput(
  input: executor.Input,
  all: executor.Input[],
  files: RunnerFiles,
  out: ResolvedInput[],
  remote: RemoteInput[],
): Promise<void> {
  if (input.source?.$case !== 'uri') {
    out.push({ input });
    return;
  }
  const uri = input.source.value;
  if (isDataUri(uri)) {
    out.push({ input: { ...input, source: undefined }, contents: decodeDataUri(uri) });
    return;
  }
  const elsewhere = isRemoteUri(uri);
  const sourcePath = elsewhere ? undefined : await existing(uri, input.kind, files);
  const directory = input.kind === executor.InputKind.DIRECTORY;
  const filled = directory && !input.writable && all.some((other) => other.path !== input.path && isWithin(other.path, input.path));
  if (!filled) {
    const resolved = { input, sourcePath };
    out.push(resolved);
    if (elsewhere) remote.push({ uri, resolved });
    return;
  }
  out.push({ input: { ...input, source: undefined } });
  for (const entry of await files.list(uri)) {
    const path = join(input.path, entry.name);
    if (all.some((other) => other.path === path)) continue;
    const kind = entry.kind === 'directory' ? executor.InputKind.DIRECTORY : executor.InputKind.FILE;
    await resolveInput({ ...input, path, kind, checksum: '', source: { $case: 'uri', value: entry.uri } }, all, files, out, remote);
  }
}

interface RemoteInput {
  uri: string;
  resolved: ResolvedInput;
}

/** The path in the input cache of what lies on another host. */
async function fetched({ uri, resolved }: RemoteInput, key: string, files: RunnerFiles, signal: AbortSignal): Promise<string> {
  const { path, kind, checksum, inPlace } = resolved.input;
  if (inPlace) throw new RuntimeFailure('INPUT_FILE', `input ${uri} lies on another host and cannot be changed in place`, false);
  try {
    const wanted = { uri, name: basename(path), checksum: checksum.startsWith('sha1$') ? checksum : '', signal };
    return await files.fetch(key, kind === executor.InputKind.DIRECTORY ? 'directory' : 'file', wanted);
  } catch (error) {
    if (signal.aborted) throw error;
    if (!(error instanceof StorageError)) throw diskFailure(error);
    throw inputFailure(error, error.code === 'IO' || error.code === 'CHANGED');
  }
}

async function existing(uri: string, kind: executor.InputKind, files: RunnerFiles): Promise<string> {
  try {
    return await files.resolveInput(uri, kind === executor.InputKind.DIRECTORY ? 'directory' : 'file');
  } catch (error) {
    if (error instanceof StorageError) throw inputFailure(error, error.code === 'IO');
    throw error;
  }
}

async function place(placement: Placement, check: CheckReal): Promise<void> {
  try {
    await placeInParent(placement, check);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(placement.hostPath), { recursive: true });
    await placeInParent(placement, check);
  }
}

async function placeInParent(placement: Placement, check: CheckReal): Promise<void> {
  switch (placement.act) {
    case 'directory':
      mkdirSync(placement.hostPath, { recursive: true });
      return;
    case 'write':
      writeFileSync(placement.hostPath, placement.contents);
      return;
    case 'link':
      symlinkSync(placement.sourcePath, placement.hostPath);
      return;
    case 'shield':
      return placeShielded(placement.sourcePath, placement.hostPath, check);
    case 'placeholder':
      if (placement.kind === 'directory') mkdirSync(placement.hostPath, { recursive: true });
      else writeFileSync(placement.hostPath, '');
      return;
    case 'copy':
      return copyWritable(placement.sourcePath, placement.hostPath, check);
  }
}

/**
 * What an earlier step of the same run published, and nothing else, may be changed where it lies: its results are nobody's yet. It is made
 * writable, and its own where an earlier result shares its bytes.
 */
async function openForChange(real: string, runId: string, uri: string, files: RunnerFiles): Promise<void> {
  const { publishedRoot } = files;
  const own = publishedRoot !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(runId) ? join(publishedRoot, 'runs', runId) : undefined;
  if (own === undefined || real === own || !isWithin(real, own))
    throw new RuntimeFailure('INPUT_FILE', `input ${uri} is not of this run and cannot be changed in place`, false);
  const paths = lstatSync(real).isDirectory() ? (await readdir(real, { recursive: true })).map((name) => join(real, name)) : [];
  for (const path of [real, ...paths]) {
    await separate(path);
    makeWritable(path);
  }
}

/** Published files are nobody's to write. Links are not followed: none is published. */
function makeWritable(path: string): void {
  const stats = lstatSync(path);
  if (!stats.isSymbolicLink() && (stats.mode & 0o200) === 0) chmodSync(path, (stats.mode & 0o777) | 0o200);
}

/** A full disk here is nothing that is wrong with the input. */
function inputFailure({ code, message }: StorageError, retryable: boolean): RuntimeFailure {
  return code === 'FULL'
    ? new RuntimeFailure('DISK_FULL', `an input cannot be fetched: ${message}`, true)
    : new RuntimeFailure('INPUT_FILE', `input ${message}`, retryable);
}

/** @returns a RuntimeFailure that says what the file system said. */
function diskFailure(error: unknown): RuntimeFailure {
  if (error instanceof RuntimeFailure) return error;
  const code = systemErrorCode(error);
  const text = messageOf(error);
  if (isFull(error)) return new RuntimeFailure('DISK_FULL', `the sandbox cannot be made: ${fullWords(error)} (${text})`, true);
  return new RuntimeFailure('INTERNAL', `cannot prepare the sandbox: ${text}`, code === 'EIO' || code === 'EMFILE' || code === 'ENFILE');
}
