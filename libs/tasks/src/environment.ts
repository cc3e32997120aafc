/**
 * Environment, streams, network, time limit and reuse of a task.
 * Source: CWL v1.2 CommandLineTool §4.2 "Runtime environment", EnvVarRequirement, NetworkAccess, ToolTimeLimit, WorkReuse;
 * cwltool's ShmSize.
 */
import type { CommandLineTool, EffectiveRequirements } from '@weft/plan';
import { find, MEMORY_SIZE_SAYS, memorySize, pathProblem } from '@weft/plan';
import type { SandboxLayout } from './api.js';
import { TaskError } from './api.js';
import { escapes, normalizePath } from './names.js';
import type { Scope } from './scope.js';
import { brief, evaluate, evaluateBoolean, evaluateNumber, evaluateString } from './scope.js';

/** What is preserved of the caller's, HOME and TMPDIR, then what the author sets. PATH goes apart: a container has its image's. */
export async function environmentOf(
  scope: Scope,
  effective: EffectiveRequirements,
  layout: SandboxLayout,
  preserved: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const environment: Record<string, string> = { ...preserved, HOME: layout.workDir, TMPDIR: layout.tmpDir };
  for (const { envName, envValue } of find(effective, 'EnvVarRequirement')?.value.envDef ?? []) {
    if (!/^[^=\0]+$/.test(envName)) throw new TaskError('ENVIRONMENT', `EnvVarRequirement: ${brief(envName)} cannot name a variable`);
    environment[envName] = await evaluateString(scope, envValue, `EnvVarRequirement.${envName}`);
  }
  return environment;
}

/** Containers of v1.0 documents have network access; from v1.1 on they must ask for it. */
export async function networkOf(scope: Scope, effective: EffectiveRequirements, declaredVersion: string): Promise<boolean> {
  const requirement = find(effective, 'NetworkAccess');
  if (!requirement) return declaredVersion.startsWith('v1.0');
  return evaluateBoolean(scope, requirement.value.networkAccess, 'NetworkAccess.networkAccess');
}

/** Whether the author lets an earlier result stand for another execution. Source: CWL v1.2 CommandLineTool, "WorkReuse": by default yes. */
export async function reuseOf(scope: Scope, effective: EffectiveRequirements): Promise<boolean> {
  const requirement = find(effective, 'WorkReuse');
  return requirement === undefined || evaluateBoolean(scope, requirement.value.enableReuse, 'WorkReuse.enableReuse');
}

/** Milliseconds; 0 is no limit. */
export async function timeLimitOf(scope: Scope, effective: EffectiveRequirements): Promise<number> {
  const requirement = find(effective, 'ToolTimeLimit');
  if (!requirement) return 0;
  const seconds = await evaluateNumber(scope, requirement.value.timelimit, 'ToolTimeLimit.timelimit');
  if (!Number.isInteger(seconds) || seconds < 0)
    throw new TaskError('TIME_LIMIT', `ToolTimeLimit: timelimit must be a whole number of seconds from 0, got ${seconds}`);
  return seconds * 1000;
}

/** Bytes of /dev/shm; 0: what the engine gives. */
export async function shmBytesOf(scope: Scope, effective: EffectiveRequirements): Promise<number> {
  const requirement = find(effective, 'ShmSize');
  if (!requirement) return 0;
  const field = requirement.value.shmSize;
  const size = await evaluateString(scope, field, 'ShmSize.shmSize');
  const bytes = memorySize(size);
  if (bytes === undefined) throw new TaskError('RESOURCES', `ShmSize: shmSize must be ${MEMORY_SIZE_SAYS}, got ${brief(size)}`, field);
  return bytes;
}

export interface Streams {
  stdinPath: string;
  stdoutPath: string;
  stderrPath: string;
}

export async function streamsOf(scope: Scope, tool: CommandLineTool, layout: SandboxLayout): Promise<Streams> {
  return {
    stdinPath: await stdinOf(scope, tool.stdin, layout),
    stdoutPath: await streamFile(scope, tool.stdout, 'stdout'),
    stderrPath: await streamFile(scope, tool.stderr, 'stderr'),
  };
}

/** An expression that gives null (an optional File that is absent) leaves stdin empty. */
async function stdinOf(scope: Scope, field: string | undefined, layout: SandboxLayout): Promise<string> {
  const value = await evaluate(scope, field);
  if (value === null || value === '') return '';
  if (typeof value !== 'string') throw new TaskError('EXPRESSION', `stdin must be a path; ${brief(field)} gave ${brief(value)}`, field);
  return value.startsWith('/') ? value : `${layout.workDir}/${value}`;
}

async function streamFile(scope: Scope, field: string | undefined, name: string): Promise<string> {
  if (field === undefined) return '';
  const value = await evaluateString(scope, field, name);
  const path = normalizePath(value);
  if (path === '' || path.startsWith('/') || escapes(path)) {
    throw new TaskError('EXPRESSION', `${name} must name a file in the working directory, got "${value}"`, field);
  }
  const problem = pathProblem(path);
  if (problem !== undefined) throw new TaskError('EXPRESSION', `${name}: a name in ${brief(value)} ${problem}`, field);
  return path;
}
