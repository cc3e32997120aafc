/**
 * Carries out the engine's commands: tasks and their cancels go to the releaser, expressions to the evaluator.
 * Every command is idempotent: a task that was released already is not released again, an evaluation only answers.
 *
 * Invariants:
 *  1. What waits for a back-off is acted on only while the run still wants it.
 *  2. A run that is stopped, by a failure or a cancel, waits for no expression: what it had asked for is dropped, and what is still to begin does not.
 */
import { evaluateExpressionTool, evaluateStepBindings, type FileAccess } from '@weft/tasks';
import type { BoundShard, Command, EngineEvent } from '@weft/engine';
import { EvaluationDropped, type ExpressionEvaluator, type ExpressionOwner, ownedBy, type OwnedEvaluator } from '@weft/expressions';
import { type CwlObject, type CwlValue, type ExpressionTool, type StepInput, type Workflow, type WorkflowStep } from '@weft/plan';
import type { Logger } from '@weft/platform';
import pLimit, { type LimitFunction } from 'p-limit';
import { type Clock, systemClock } from '../kernel/clock.js';
import type { TaskReleaser } from '../admission/task-releaser.js';
import { failureOf } from '../runs/failures.js';
import { expressionOptions } from '../plans/expression-options.js';
import type { CommandExecutor, OwnedRun } from '../runs/owned-run.js';
import type { ResultScope, Seeing } from '../reach/result-reach.js';

/** Evaluations at once of one run, so that it holds up no other: they wait for files and for the sandbox, which batches what comes together. */
const EVALUATIONS = 64;

export interface CommandRunnerDeps {
  releaser: TaskReleaser;
  evaluator: OwnedEvaluator;
  reach: Pick<Seeing, 'filesOf' | 'checkValues'>;
  logger: Logger;
  clock?: Clock;
}

type UnboundShard = Of<'EvaluateBindings'>['shards'][number];
type Of<T extends Command['type']> = Extract<Command, { type: T }>;

export class CommandRunner implements CommandExecutor {
  /** By run, while it has any. */
  private readonly limits = new Map<string, LimitFunction>();
  private readonly clock: Clock;

  constructor(private readonly deps: CommandRunnerDeps) {
    this.clock = deps.clock ?? systemClock;
  }

  execute(actor: OwnedRun, commands: Command[]): void {
    const tasks: Of<'RunTask'>[] = [];
    for (const command of commands) {
      if (command.type === 'RunTask') {
        if (command.delayMs > 0) this.clock.after(command.delayMs, () => this.deps.releaser.offer(actor, [command]));
        else tasks.push(command);
      } else if (command.type === 'EvaluateBindings') {
        this.evaluate(actor, () => this.evaluateBindings(actor, command));
      } else if (command.type === 'EvaluateExpressionTool') {
        this.evaluate(actor, () => this.evaluateTool(actor, command));
      } else if (command.type === 'CancelTasks') {
        this.deps.releaser.cancel(actor, command.tasks);
      }
    }
    if (tasks.length > 0) this.deps.releaser.offer(actor, tasks);
  }

  applied(actor: OwnedRun, event: EngineEvent): void {
    if (isStopping(actor)) this.dropEvaluations(actor);
    this.deps.releaser.applied(actor, event);
  }

  ending(actor: OwnedRun): Promise<void> {
    return this.deps.releaser.ending(actor);
  }

  stopped(actor: OwnedRun): void {
    this.deps.releaser.stopped(actor);
  }

  private evaluate(actor: OwnedRun, work: () => Promise<EngineEvent>): void {
    const { runId } = actor;
    const limit = this.limits.get(runId) ?? pLimit(EVALUATIONS);
    this.limits.set(runId, limit);
    void limit(work)
      .finally(() => {
        if (limit.activeCount + limit.pendingCount === 0 && this.limits.get(runId) === limit) this.limits.delete(runId);
      })
      .then((event) => actor.offer(event));
  }

  /** Nobody's expressions wait for those of others. */
  private depsFor(actor: OwnedRun): { evaluator: ExpressionEvaluator; files: FileAccess } {
    return { evaluator: ownedBy(this.deps.evaluator, ownerOf(actor)), files: this.deps.reach.filesOf(scopeOf(actor)) };
  }

  private dropEvaluations(actor: OwnedRun): void {
    if (this.limits.has(actor.runId)) this.deps.evaluator.drop(ownerOf(actor));
  }

  private async evaluateBindings(actor: OwnedRun, command: Of<'EvaluateBindings'>): Promise<EngineEvent> {
    const { node, iteration } = command;
    const workflow = actor.plan.processes[command.workflow] as Workflow;
    const step = workflow.steps.find(({ name }) => name === command.step);
    if (!step) throw new Error(`workflow ${command.workflow} has no step ${command.step}`);
    const options = expressionOptions(command.effective, workflow.declaredVersion);
    const deps = this.depsFor(actor);
    const bind = async ({ index, values }: UnboundShard): Promise<BoundShard> => {
      if (isStopping(actor)) throw new EvaluationDropped();
      const stepInputs = inputsOf(step, values, command.loop);
      const bound = await evaluateStepBindings(
        { stepInputs, values: definedValues(values), when: step.when, options, effective: command.effective },
        deps,
      );
      return { index, inputs: bound.inputs, run: bound.run };
    };
    let failed: number | undefined;
    const noting = (shard: UnboundShard): Promise<BoundShard> =>
      bind(shard).catch((error: unknown) => {
        failed ??= shard.index;
        throw error;
      });
    try {
      return { type: 'BindingsEvaluated', node, iteration, shards: await Promise.all(command.shards.map(noting)) };
    } catch (error) {
      const failure = failureOf(error, node, { plan: actor.plan, process: command.workflow });
      const which = step.scatter.length > 0 ? `${node}[${failed ?? 0}]` : node;
      if (!failure.message.startsWith(`step '${node}`)) failure.message = `step '${which}': ${failure.message}`;
      return { type: 'BindingsFailed', node, iteration, firstShard: command.shards[0]?.index ?? 0, failure };
    }
  }

  private async evaluateTool(actor: OwnedRun, command: Of<'EvaluateExpressionTool'>): Promise<EngineEvent> {
    const { taskId, attempt, inputs } = command;
    if (isStopping(actor)) return { type: 'TaskCancelled', taskId, attempt };
    const tool = actor.plan.processes[command.process] as ExpressionTool;
    try {
      const outputs = await evaluateExpressionTool(
        { tool, inputs, effective: command.inherited, formats: actor.plan.formats },
        this.depsFor(actor),
      );
      await this.deps.reach.checkValues(outputs, scopeOf(actor));
      return { type: 'TaskSucceeded', taskId, attempt, outputs };
    } catch (error) {
      if (error instanceof EvaluationDropped) return { type: 'TaskCancelled', taskId, attempt };
      return {
        type: 'TaskFailed',
        taskId,
        attempt,
        failure: failureOf(error, command.step, { plan: actor.plan, process: command.process }),
        retryable: false,
      };
    }
  }
}

/** It waits for what is under way alone, and nothing of that is used. */
function isStopping({ state: { phase } }: OwnedRun): boolean {
  return phase === 'failing' || phase === 'cancelling';
}

function ownerOf({ runId, base: { projectId } }: OwnedRun): ExpressionOwner {
  return { project: projectId, run: runId };
}

function scopeOf({ runId, base: { projectId } }: OwnedRun): ResultScope {
  return { runId, projectId };
}

/** What is bound: the step's inputs; from a loop's second iteration on its loop inputs, and the others as they were. */
function inputsOf(step: WorkflowStep, values: CwlObject, loop: boolean): StepInput[] {
  if (!loop) return step.in;
  const changing = step.loop ?? [];
  const kept = Object.keys(values).filter((name) => !changing.some((input) => input.name === name));
  return [...changing, ...kept.map((name) => ({ name }))];
}

function definedValues(values: CwlObject): Record<string, CwlValue> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value ?? null]));
}
