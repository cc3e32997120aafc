/** How an attempt ended, in the contract's words. Pure. */
import { executor } from '@weft/contracts';
import type { ExitStatus } from '@weft/runtimes';
import type { SecretMask } from '../logs/secret-mask.js';
import { attemptFailure } from '../work-dir/faults.js';

/** Stops compiling where a runtime learns a new way to end. */
const OUTCOMES: Record<ExitStatus['outcome'], executor.Outcome> = {
  exited: executor.Outcome.EXITED,
  cancelled: executor.Outcome.CANCELLED,
  'time-limit': executor.Outcome.TIME_LIMIT,
  'out-of-memory': executor.Outcome.OUT_OF_MEMORY,
};

export function finishedResult(
  exit: ExitStatus,
  manifest: executor.ManifestEntry[],
  stderrTail: string[],
  wallMs: number,
): executor.Finished {
  return {
    outcome: OUTCOMES[exit.outcome],
    exitCode: exit.exitCode,
    failure: undefined,
    manifest,
    stderrTail,
    usage: { cpuSeconds: exit.cpuSeconds ?? 0, maxRssBytes: exit.maxRssBytes ?? 0, wallMs },
    imageId: exit.imageId ?? '',
  };
}

/** For a tool that could not be started, or whose end could not be learnt. */
export function failedResult(error: unknown, stderrTail: string[], mask: Pick<SecretMask, 'text'>): executor.Finished {
  const failure = attemptFailure(error);
  // What could not be started is quoted, with its arguments.
  const told = { ...failure, message: mask.text(failure.message) };
  return executor.Finished.create({ outcome: executor.Outcome.FAILED, failure: told, stderrTail });
}
