/**
 * The files of a tool's streams, from where they were written to where they belong.
 *
 * Invariants:
 *  1. While the tool runs they lie beside its working directory, where it has no name for them: what it makes of their names in there is nobody's
 *     matter until it has ended.
 *  2. Then each takes its place: whatever file or link has that name is replaced, and no link is followed. Directories on its way that are missing
 *     are made; what else is there instead, and a directory in its place, is a permanent fault.
 *  3. Done again, it changes nothing.
 */
import { lstatSync, renameSync } from 'node:fs';
import { basename, normalize } from 'node:path';
import type { executor } from '@weft/contracts';
import { NotPlainError, openDirectoryBeneath, systemErrorCode } from '@weft/storage';
import { type SandboxLayout, streamFilesOf } from '../sandbox/sandbox-layout.js';
import { faultOf, WorkTreeError } from './faults.js';

/** @throws WorkTreeError; the system's error */
export function placeStreams(spec: Pick<executor.TaskSpec, 'stdoutPath' | 'stderrPath'>, layout: SandboxLayout): void {
  const files = streamFilesOf(spec, layout);
  if (files.stdout !== undefined) place('stdout', files.stdout, layout.hostWorkDir, normalize(spec.stdoutPath));
  if (files.stderr !== undefined && files.stderr !== files.stdout)
    place('stderr', files.stderr, layout.hostWorkDir, normalize(spec.stderrPath));
}

function place(stream: string, file: string, workDir: string, path: string): void {
  // Taken to its place before, or never made: the command could not be started.
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  try {
    const at = openDirectoryBeneath(workDir, path.slice(0, path.lastIndexOf('/') + 1), { make: true });
    try {
      renameSync(file, at.pathOf(basename(path)));
    } finally {
      at.close();
    }
  } catch (error) {
    throw placeError(error, stream, path);
  }
}

function placeError(error: unknown, stream: string, path: string): unknown {
  const cannot = `${stream} cannot be put at '${path}', as the document says`;
  if (error instanceof NotPlainError) return new WorkTreeError('KIND', `${cannot}: the tool left '${error.entry}' as ${error.nature}`);
  switch (systemErrorCode(error)) {
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new WorkTreeError('KIND', `${cannot}: the tool made a directory of that name`);
    case 'ENOENT':
    case 'ENOTDIR':
      return new WorkTreeError('KIND', `${cannot}: the tool removed or replaced its working directory`);
    default: {
      const fault = faultOf(error, path);
      return fault === undefined ? error : new WorkTreeError(fault.kind, `${cannot}: ${fault.message}`);
    }
  }
}
