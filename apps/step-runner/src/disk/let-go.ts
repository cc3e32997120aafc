/** What an attempt that failed for want of room still holds goes at once: whoever would release it may wait for room on the same disk. */
import { type SandboxLayout, streamFilesOf } from '../sandbox/sandbox-layout.js';

export function letGo(
  layout: SandboxLayout,
  { discard, onProblem }: { discard: (path: string) => void; onProblem: (text: string, error: unknown) => void },
): void {
  const streams = Object.values(streamFilesOf({ stdoutPath: 'o', stderrPath: 'e' }, layout));
  for (const path of [layout.hostWorkDir, layout.hostTmpDir, layout.hostInputDir, ...streams]) {
    try {
      discard(path);
    } catch (error) {
      onProblem(`cannot remove ${path}`, error);
    }
  }
}
