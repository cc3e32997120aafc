/**
 * Makes the sandbox of one attempt and puts its inputs there.
 *
 * Invariants:
 *  1. A read-only input is never copied; a writable one never shares bytes with its source (unless it is changed in place on purpose).
 *  2. Only file: and data: URIs, and only below the allowed roots where these are configured.
 *  3. What is missing is a RuntimeFailure INPUT_FILE that names the URI.
 */
import { chmodSync, constants, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { copyFile, cp, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { executor } from '@weft/contracts';
import { RuntimeFailure } from '@weft/runtimes';
import { decodeDataUri, isDataUri, type LocalStorage, StorageError, systemErrorCode } from '@weft/storage';
import { isWithin, type Placement, planStaging, type ResolvedInput, type SandboxLayout, type StagingPlan } from './sandbox-layout.js';

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

/** @throws RuntimeFailure */
export async function stageInputs(
  spec: executor.TaskSpec,
  layout: SandboxLayout,
  containers: boolean,
  storage: LocalStorage,
): Promise<StagingPlan> {
  const plan = await resolvePlan(spec, layout, containers, storage);
  try {
    for (const placement of plan.placements) await place(placement);
    for (const path of [spec.stdoutPath, spec.stderrPath]) {
      if (path.includes('/')) mkdirSync(dirname(join(layout.hostWorkDir, path)), { recursive: true });
    }
  } catch (error) {
    throw diskFailure(error);
  }
  return plan;
}

/** The plan alone, as it was when the attempt was staged: for an attempt that is adopted. */
export async function resolvePlan(
  spec: executor.TaskSpec,
  layout: SandboxLayout,
  containers: boolean,
  storage: LocalStorage,
): Promise<StagingPlan> {
  const resolved: ResolvedInput[] = [];
  for (const input of spec.inputs) await resolveInput(input, spec.inputs, storage, resolved);
  return planStaging(spec, resolved, layout, containers);
}

/** A directory that other inputs are put into is taken apart into its entries, so that nothing is ever made in the source. */
async function resolveInput(input: executor.Input, all: executor.Input[], storage: LocalStorage, out: ResolvedInput[]): Promise<void> {
  if (input.source?.$case !== 'uri') {
    out.push({ input });
    return;
  }
  const uri = input.source.value;
  if (isDataUri(uri)) {
    out.push({ input: { ...input, source: undefined }, contents: decodeDataUri(uri) });
    return;
  }
  const sourcePath = await existing(uri, input.kind, storage);
  const directory = input.kind === executor.InputKind.DIRECTORY;
  const filled = directory && !input.writable && all.some((other) => other.path !== input.path && isWithin(other.path, input.path));
  if (!filled) {
    out.push({ input, sourcePath });
    return;
  }
  out.push({ input: { ...input, source: undefined } });
  for (const entry of await storage.list(uri)) {
    const path = join(input.path, entry.name);
    if (all.some((other) => other.path === path)) continue;
    const kind = entry.kind === 'directory' ? executor.InputKind.DIRECTORY : executor.InputKind.FILE;
    await resolveInput({ ...input, path, kind, source: { $case: 'uri', value: entry.uri } }, all, storage, out);
  }
}

async function existing(uri: string, kind: executor.InputKind, storage: LocalStorage): Promise<string> {
  try {
    const path = (await storage.resolve(uri)).replace(/(.)\/+$/, '$1');
    const stats = await stat(path);
    const wanted = kind === executor.InputKind.DIRECTORY ? 'directory' : 'file';
    if (wanted === 'directory' ? !stats.isDirectory() : !stats.isFile())
      throw new RuntimeFailure('INPUT_FILE', `input ${uri} is not a ${wanted}`, false);
    return path;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR')
      throw new RuntimeFailure('INPUT_FILE', `input ${uri} does not exist`, false);
    if (error instanceof StorageError) throw new RuntimeFailure('INPUT_FILE', `input ${error.message}`, false);
    throw error;
  }
}

async function place(placement: Placement): Promise<void> {
  try {
    await placeInParent(placement);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(placement.hostPath), { recursive: true });
    await placeInParent(placement);
  }
}

async function placeInParent(placement: Placement): Promise<void> {
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
    case 'placeholder':
      if (placement.kind === 'directory') mkdirSync(placement.hostPath, { recursive: true });
      else writeFileSync(placement.hostPath, '');
      return;
    case 'copy':
      return copyWritable(placement.sourcePath, placement.hostPath);
  }
}

async function copyWritable(from: string, to: string): Promise<void> {
  const stats = await stat(from);
  if (stats.isDirectory()) {
    await cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE, dereference: true, preserveTimestamps: true, force: true });
    return;
  }
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  // A source whose mode forbids writing gives a copy that is still the task's to write.
  if ((stats.mode & 0o200) === 0) chmodSync(to, stats.mode | 0o200);
}

/** @returns a RuntimeFailure that says what the file system said. */
export function diskFailure(error: unknown): RuntimeFailure {
  if (error instanceof RuntimeFailure) return error;
  const code = systemErrorCode(error);
  const text = error instanceof Object && 'message' in error ? String(error.message) : String(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new RuntimeFailure('DISK_FULL', `the sandbox's file system is full: ${text}`, true);
  return new RuntimeFailure('INTERNAL', `cannot prepare the sandbox: ${text}`, code === 'EIO' || code === 'EMFILE' || code === 'ENFILE');
}
