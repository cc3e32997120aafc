/** The queue's job for one attempt of a task. */
import type { Command } from '@weft/engine';
import type { TaskJob } from '@weft/queue';
import { carried } from './job-inputs.js';
import type { OwnedRun } from '../runs/owned-run.js';

export function taskJobOf(actor: OwnedRun, command: Extract<Command, { type: 'RunTask' }>): TaskJob {
  const { noContainer, defaultContainer, cache, noCache, caller, sealedFor } = actor.state.options;
  return {
    runId: actor.runId,
    taskId: command.taskId,
    attempt: command.attempt,
    step: command.step,
    index: command.index,
    pool: actor.base.pool,
    planHash: actor.base.planHash,
    processId: command.process,
    ...carried(actor.state, command),
    inherited: command.inherited,
    options: {
      noContainer,
      ...(defaultContainer !== undefined && { defaultContainer }),
      ...(cache && { cache }),
      ...(noCache && { noCache }),
      ...(caller !== undefined && { caller }),
      ...(sealedFor !== undefined && { sealedFor }),
    },
    ...(command.avoid && { avoid: command.avoid }),
    ...(command.ramFactor !== undefined && { ramFactor: command.ramFactor }),
    projectId: actor.base.projectId,
    priority: 0,
  };
}
