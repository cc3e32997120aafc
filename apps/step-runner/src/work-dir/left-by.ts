/** What a tool that has ended left behind. */
import type { executor } from '@weft/contracts';
import type { ExitStatus } from '@weft/runtimes';
import type { InputGuard } from '../sandbox/input-guard.js';
import type { SandboxLayout } from '../sandbox/sandbox-layout.js';
import { WorkTreeError } from './faults.js';
import { placeStreams } from './streams.js';
import type { WorkTree } from './work-tree.js';

interface Of {
  spec: executor.TaskSpec;
  layout: SandboxLayout;
  inputs: InputGuard | undefined;
  tree(): WorkTree;
}

/** @throws RuntimeFailure INPUT_CHANGED; WorkTreeError; the system's error */
export async function leftBy({ outcome, exitCode }: ExitStatus, { spec, layout, inputs, tree }: Of): Promise<executor.ManifestEntry[]> {
  if (outcome !== 'exited') return [];
  inputs?.check();
  try {
    placeStreams(spec, layout);
    return await tree().manifest();
  } catch (error) {
    if (!(error instanceof WorkTreeError) || exitCode === 0) throw error;
    throw new WorkTreeError(error.kind, `${error.message} (the tool ended with exit code ${exitCode})`);
  }
}
