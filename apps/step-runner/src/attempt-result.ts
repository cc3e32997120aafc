/** How an attempt ended, in the contract's words. Pure. */
import { executor } from '@weft/contracts';
import { type ExitStatus, RuntimeFailure } from '@weft/runtimes';
import { systemErrorCode } from '@weft/storage';

/** The file system is full, or the runner's share of it. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

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
export function failedResult(error: unknown, stderrTail: string[]): executor.Finished {
  const message = error instanceof Object && 'message' in error ? String(error.message) : String(error);
  const full = FULL.has(systemErrorCode(error) ?? '');
  const failure =
    error instanceof RuntimeFailure
      ? { code: error.code, message: error.message, retryable: error.retryable }
      : {
          code: full ? 'DISK_FULL' : 'INTERNAL',
          message: full ? `the sandbox's file system is full: ${message}` : message,
          retryable: true,
        };
  return executor.Finished.create({ outcome: executor.Outcome.FAILED, failure, stderrTail });
}
