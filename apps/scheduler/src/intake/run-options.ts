/** How a run is to be executed: from the request's options, checked. */
import { run as runPb, type scheduler } from '@weft/contracts';
import type { RunOptions } from '@weft/engine';
import { imageNameProblem } from '@weft/plan';
import { ServiceError } from '@weft/platform';
import { callerOf } from './caller-options.js';

const MAX_ATTEMPTS = 100;
const MAX_PRIORITY = 100;
const MAX_OOM_FACTOR = 64;

export interface OptionRules {
  defaultAttempts: number;
  /** Only its own user can submit here: what tasks see of the caller is taken. */
  takesCaller: boolean;
  /** WEFT_CALL_CACHE. */
  callCache: 'asked' | 'on' | 'off';
}

/** @throws ServiceError INVALID_ARGUMENT where a value is outside its range, PERMISSION_DENIED where it is not for this caller to set */
export function runOptionsOf(asked: scheduler.RunOptions | undefined, rules: OptionRules): RunOptions {
  const { defaultAttempts, takesCaller } = rules;
  const options: RunOptions = {
    noContainer: asked?.noContainer ?? false,
    maxAttempts: asked?.maxAttempts || defaultAttempts,
    ...cachingOf(asked, rules),
  };
  if (!asked) return options;
  if (asked.caller && !takesCaller)
    throw new ServiceError(
      'PERMISSION_DENIED',
      'options.caller: PATH, umask and variables of the caller are taken only by a scheduler that its own user alone can reach (WEFT_CALLER_WORLD); EnvVarRequirement sets variables of a tool',
    );
  const { oomRetryFactor, priority, maxAttempts } = asked;
  if (maxAttempts > MAX_ATTEMPTS) throw outside('max_attempts', maxAttempts, `1 to ${MAX_ATTEMPTS}, or 0 for the default`);
  if (Math.abs(priority) > MAX_PRIORITY) throw outside('priority', priority, `-${MAX_PRIORITY} to ${MAX_PRIORITY}`);
  if (oomRetryFactor !== 0 && !(oomRetryFactor > 1 && oomRetryFactor <= MAX_OOM_FACTOR))
    throw outside('oom_retry_factor', oomRetryFactor, `more than 1 and at most ${MAX_OOM_FACTOR}, or 0`);
  if (asked.defaultContainer) {
    const problem = imageNameProblem(asked.defaultContainer);
    if (problem !== undefined) throw new ServiceError('INVALID_ARGUMENT', `options.default_container does not name an image: ${problem}`);
    options.defaultContainer = asked.defaultContainer;
  }
  if (asked.deadlineS) options.deadlineMs = asked.deadlineS * 1000;
  if (asked.failureMode === runPb.FailureMode.CONTINUE) options.failureMode = 'continue';
  if (oomRetryFactor) options.oomRetryFactor = oomRetryFactor;
  if (asked.keepIntermediates) options.keepIntermediates = true;
  if (priority) options.priority = priority;
  if (asked.maxParallelTasks) options.maxParallelTasks = asked.maxParallelTasks;
  if (asked.caller) options.caller = callerOf(asked.caller);
  return options;
}

/** Decided here, once: a run that is under way stays as it was accepted. */
function cachingOf(asked: scheduler.RunOptions | undefined, { callCache }: OptionRules): Pick<RunOptions, 'cache' | 'noCache'> {
  if (asked?.cache && asked.noCache)
    throw new ServiceError(
      'INVALID_ARGUMENT',
      'options.cache and options.no_cache are both set: use earlier results, or execute every task',
    );
  if (asked?.cache && callCache === 'off')
    throw new ServiceError(
      'FAILED_PRECONDITION',
      'options.cache: there is no call cache here (WEFT_CALL_CACHE=off), so no earlier result can be used; submit without it',
    );
  if (asked?.noCache) return { noCache: true };
  return asked?.cache || callCache === 'on' ? { cache: true } : {};
}

function outside(field: string, value: number, range: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', `options.${field} is ${value}; it goes from ${range}`);
}
