/** What an attempt's end means for its run. */
import { executor } from '@weft/contracts';
import type { EngineEvent, Failure } from '@weft/engine';
import type { CwlObject } from '@weft/plan';
import type { TaskJob } from '@weft/queue';
import { type BoundTask, classifyExit, describeExit, type TaskRequest, whyNotStarted } from '@weft/tasks';

/** What shells and container engines give for a command that is there and cannot be executed. */
const CANNOT_START = 126;

export interface EndedAttempt {
  job: TaskJob;
  request: TaskRequest;
  runnerId?: string;
  /** What the tool may have changed. */
  inPlace?: string[];
  bound: BoundTask;
  finished: executor.Finished;
  /** Its outputs, published. */
  collect(): Promise<CwlObject>;
}

export async function answerOf({ job, request, runnerId, inPlace, bound, finished, collect }: EndedAttempt): Promise<EngineEvent> {
  const { taskId, attempt } = job;
  const changed = inPlace === undefined ? {} : { inPlace };
  const fail = (failure: Omit<Failure, 'step'>, retryable: boolean): EngineEvent => ({
    type: 'TaskFailed',
    taskId,
    attempt,
    ...(runnerId !== undefined && { runnerId }),
    failure: { ...failure, step: job.step, stderrTail: finished.stderrTail },
    retryable,
    ...changed,
  });
  switch (finished.outcome) {
    case executor.Outcome.EXITED: {
      const { exitCode } = finished;
      const exit = classifyExit(request.tool, exitCode);
      if (exit !== 'success')
        return fail({ code: 'TOOL_EXIT', message: exitMessage(bound.spec, exitCode), exitCode }, exit === 'temporary');
      return { type: 'TaskSucceeded', taskId, attempt, outputs: await collect(), exitCode, ...changed };
    }
    case executor.Outcome.CANCELLED:
      return { type: 'TaskCancelled', taskId, attempt, ...changed };
    case executor.Outcome.TIME_LIMIT:
      return fail({ code: 'TIME_LIMIT', message: `the tool ran longer than its time limit of ${bound.spec.timeLimitMs / 1000} s` }, false);
    case executor.Outcome.OUT_OF_MEMORY:
      return fail(
        { code: 'OUT_OF_MEMORY', message: `the tool needed more memory than its limit (ramMin ${bound.runtime['ram']} MiB)` },
        false,
      );
    case executor.Outcome.FAILED:
    case executor.Outcome.UNSPECIFIED: {
      const { code, message, retryable } = finished.failure ?? { code: 'INTERNAL', message: 'the runner gave no reason', retryable: false };
      return fail({ code, message }, retryable);
    }
  }
}

function exitMessage({ argv, environment }: executor.TaskSpec, exitCode: number): string {
  const why = exitCode === CANNOT_START ? whyNotStarted(argv, environment) : undefined;
  return why === undefined ? describeExit(exitCode) : `the tool could not be started (exit code ${exitCode}): ${why}`;
}
