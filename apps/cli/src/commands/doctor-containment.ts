/** What `weft doctor` says of tools that run on the host: by which means they are contained, and why not by stronger ones. */
import { rmSync } from 'node:fs';
import { makeTemporaryFolder } from '../temporary-folder.js';
import type { Finding } from './doctor-stack.js';

const MEANS: Record<string, string> = {
  namespaces: 'processes end with their task (namespaces)',
  cgroup: 'processes end with their task (control groups)',
  group: 'processes are only looked for by group, session and environment',
};
const INPUTS = { view: 'inputs are read-only', copy: 'inputs are copied, large ones checked afterwards' };

export async function containment(): Promise<Finding> {
  const what = 'host tools';
  // What it takes is loaded for this command alone.
  const { ProcessRuntime } = await import('@weft/runtimes');
  const directory = temporaryFolder();
  if ('problem' in directory) return { what, ok: false, optional: true, found: `not looked at: ${directory.problem}` };
  const runtime = new ProcessRuntime({ directory: directory.path });
  try {
    const { unavailable, containment: level = '', inputs = 'copy', refused = [] } = await runtime.probe();
    if (unavailable !== undefined)
      return { what, ok: false, optional: true, found: unavailable, advice: 'tools in containers run all the same' };
    const strong = inputs === 'view';
    return {
      what,
      ok: strong,
      optional: true,
      found: `${MEANS[level] ?? level}, ${INPUTS[inputs]}${strong ? '' : ` (${firstLines(refused)})`}`,
      advice:
        'for namespaces: apt-get install util-linux, and let users make user namespaces (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns=0); or run tools in containers',
    };
  } finally {
    await runtime.close();
    rmSync(directory.path, { recursive: true, force: true });
  }
}

function temporaryFolder(): { path: string } | { problem: string } {
  try {
    return { path: makeTemporaryFolder('weft-doctor-') };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function firstLines(texts: readonly string[]): string {
  return texts.map((text) => text.split('\n')[0] ?? '').join('; ');
}
