/**
 * What the engine asks the shell to do. Carrying a command out twice must change nothing: its identity is
 * (node, iteration, first shard) for bindings and (taskId, attempt) for tasks.
 */
import type { CwlObject, EffectiveRequirements } from '@weft/plan';
import type { Failure, FinalStatus } from './events.js';

/** Evaluate valueFrom, loadContents, loadListing and when of a step for some of its shards; answer BindingsEvaluated or BindingsFailed. */
export interface EvaluateBindings {
  type: 'EvaluateBindings';
  node: string;
  iteration: number;
  /** The workflow (key of Plan.processes) and its step. */
  workflow: string;
  step: string;
  /** From the second iteration of a loop on: the `loop` entries apply instead of `in`. */
  loop: boolean;
  effective: EffectiveRequirements;
  shards: { index: number; values: CwlObject }[];
}

/** Run a CommandLineTool; answer TaskStarted and then TaskSucceeded, TaskFailed or TaskCancelled. */
export interface RunTask {
  type: 'RunTask';
  taskId: string;
  attempt: number;
  step: string;
  index: string;
  process: string;
  inputs: CwlObject;
  inherited: EffectiveRequirements;
  /** When it was decided, by the log's clock. */
  decidedAtMs: number;
  /** Wait from then on before the attempt, milliseconds. */
  delayMs: number;
  /** Runners on which earlier attempts failed; absent = none. */
  avoid?: string[];
  /** What the task's memory is multiplied by after attempts that were killed for theirs; absent = 1. */
  ramFactor?: number;
}

/** Evaluate an ExpressionTool; answer TaskSucceeded or TaskFailed. */
export interface EvaluateExpressionTool {
  type: 'EvaluateExpressionTool';
  taskId: string;
  attempt: number;
  step: string;
  process: string;
  inputs: CwlObject;
  inherited: EffectiveRequirements;
}

/** Stop these attempts wherever they are; answer TaskCancelled (or what became of them) for each. */
export interface CancelTasks {
  type: 'CancelTasks';
  tasks: { taskId: string; attempt: number }[];
}

/** Seal the log with RunEnded. */
export interface EndRun {
  type: 'EndRun';
  status: FinalStatus;
  outputs?: CwlObject;
  failure?: Failure;
}

export type Command = EvaluateBindings | RunTask | EvaluateExpressionTool | CancelTasks | EndRun;
