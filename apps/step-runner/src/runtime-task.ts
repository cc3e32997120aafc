/** A spec and its staged sandbox → what a runtime must do. Pure. */
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { RuntimeFailure, type RuntimeTask } from '@weft/runtimes';
import { isWithin, type SandboxLayout, type StagingPlan, streamFilesOf } from './sandbox-layout.js';

export function runtimeTaskOf(spec: executor.TaskSpec, layout: SandboxLayout, plan: StagingPlan, devices: readonly string[]): RuntimeTask {
  checkStreams(spec);
  const streams = streamFilesOf(spec, layout);
  return {
    spec,
    devices,
    key: layout.key,
    hostWorkDir: layout.hostWorkDir,
    hostTmpDir: layout.hostTmpDir,
    mounts: plan.mounts,
    readOnly: plan.staged.flatMap(({ readOnlyName, realPath }) => (readOnlyName === undefined || realPath === undefined ? [] : [realPath])),
    hostStdin: spec.stdinPath === '' ? undefined : hostPathOf(spec.stdinPath, spec, layout, plan),
    hostStdout: streams.stdout,
    hostStderr: streams.stderr,
  };
}

/** @throws RuntimeFailure INPUT_FILE where the task sees nothing of the host at that path. */
function hostPathOf(taskPath: string, spec: executor.TaskSpec, layout: SandboxLayout, plan: StagingPlan): string {
  const roots: [taskPath: string, hostPath: string][] = [
    // A process reads it as it sees it: by the name that cannot be written through, or from its copy.
    ...plan.staged.map((input): [string, string] => [input.taskPath, input.realPath === undefined ? input.sourcePath : input.taskPath]),
    ...plan.mounts.map((mount): [string, string] => [mount.taskPath, mount.hostPath]),
    [spec.workDir, layout.hostWorkDir],
    [spec.tmpDir, layout.hostTmpDir],
    [layout.hostInputDir, layout.hostInputDir],
  ];
  const within = roots.filter(([root]) => isWithin(taskPath, root)).sort((a, b) => b[0].length - a[0].length);
  const [best] = within;
  if (best === undefined)
    throw new RuntimeFailure('INPUT_FILE', `stdin '${taskPath}' is neither an input nor in the working directory`, false);
  return best[1] + taskPath.slice(best[0].length);
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
