/** A spec and its staged sandbox → what a runtime must do. Pure. */
import { executor } from '@weft/contracts';
import { RuntimeFailure, type RuntimeTask } from '@weft/runtimes';
import { isWithin } from '@weft/storage';
import { type SandboxLayout, type StagingPlan, streamFilesOf } from '../sandbox/sandbox-layout.js';

export function runtimeTaskOf(spec: executor.TaskSpec, layout: SandboxLayout, plan: StagingPlan, devices: readonly string[]): RuntimeTask {
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
