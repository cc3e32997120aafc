/**
 * Carries out the engine's commands: tasks go to the queue, expressions to the evaluator, cancels to queue and dispatcher.
 * Every command is idempotent: a job that is in the queue already is not added again, an evaluation only answers.
 *
 * Invariant: what waits (a back-off, another try) is acted on only while the run still wants it; a cancel comes after the adding it cancels.
 */
import { evaluateExpressionTool, evaluateStepBindings, type FileAccess } from '@weft/tasks';
import type { Command, EngineEvent } from '@weft/engine';
import type { ExpressionEvaluator } from '@weft/expressions';
import { type CwlObject, type CwlValue, type ExpressionTool, type StepInput, type Workflow, type WorkflowStep } from '@weft/plan';
import type { Logger } from '@weft/platform';
import type { TaskJob, TaskQueue } from '@weft/queue';
import pLimit from 'p-limit';
import { type Clock, systemClock } from '../clock.js';
import { failureOf } from './failures.js';
import { expressionOptions } from './expression-options.js';
import type { CommandExecutor, RunActor } from './run-actor.js';

/** Evaluations at once: they wait for files and for the sandbox, which batches what comes together. */
const EVALUATIONS = 64;
const RETRY_MS = 1_000;

export interface TaskCanceller {
  /** Stops the attempt if it is being worked on here and answers true; the attempt's answer comes as an event of its own. */
  cancel(taskId: string, attempt: number): boolean;
}

export interface CommandRunnerDeps {
  queue: TaskQueue;
  canceller: TaskCanceller;
  evaluator: ExpressionEvaluator;
  files: FileAccess;
  logger: Logger;
  clock?: Clock;
}

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

export class CommandRunner implements CommandExecutor {
  private readonly limit = pLimit(EVALUATIONS);
  private readonly adding = new WeakMap<RunActor, Set<Promise<void>>>();

  private readonly clock: Clock;

  constructor(private readonly deps: CommandRunnerDeps) {
    this.clock = deps.clock ?? systemClock;
  }

  execute(actor: RunActor, commands: Command[]): void {
    const tasks: Of<'RunTask'>[] = [];
    for (const command of commands) {
      if (command.type === 'RunTask') {
        if (command.delayMs > 0) this.clock.after(command.delayMs, () => this.submit(actor, [command]));
        else tasks.push(command);
      } else if (command.type === 'EvaluateBindings') {
        void this.limit(() => this.evaluateBindings(actor, command)).then((event) => actor.offer(event));
      } else if (command.type === 'EvaluateExpressionTool') {
        void this.limit(() => this.evaluateTool(actor, command)).then((event) => actor.offer(event));
      } else if (command.type === 'CancelTasks') {
        this.cancel(actor, command.tasks);
      }
    }
    if (tasks.length > 0) this.submit(actor, tasks);
  }

  private submit(actor: RunActor, commands: Of<'RunTask'>[]): void {
    const wanted = commands.filter(({ taskId, attempt }) => actor.wants(taskId, attempt));
    if (wanted.length === 0) return;
    const under = this.adding.get(actor) ?? new Set();
    this.adding.set(actor, under);
    const added = this.deps.queue
      .add(wanted.map((command) => jobOf(actor, command)))
      .catch((error: unknown) => {
        this.deps.logger.error({ err: error, runId: actor.runId }, 'tasks not queued; trying again');
        this.clock.after(RETRY_MS, () => this.submit(actor, wanted));
      })
      .finally(() => under.delete(added));
    under.add(added);
  }

  private cancel(actor: RunActor, tasks: Of<'CancelTasks'>['tasks']): void {
    const waiting = tasks.filter(({ taskId, attempt }) => !this.deps.canceller.cancel(taskId, attempt));
    if (waiting.length === 0) return;
    this.takeOut(actor, waiting).catch((error: unknown) => {
      this.deps.logger.error({ err: error, runId: actor.runId }, 'tasks not taken out of the queue; trying again');
      this.clock.after(RETRY_MS, () => !actor.isStopped && this.cancel(actor, waiting));
    });
  }

  private async takeOut(actor: RunActor, tasks: Of<'CancelTasks'>['tasks']): Promise<void> {
    await Promise.all(this.adding.get(actor) ?? []);
    const pool = actor.base.pool;
    await this.deps.queue.remove(tasks.map((task) => ({ ...task, pool })));
    for (const { taskId, attempt } of tasks) {
      // A job that was handed out in between is stopped as well.
      this.deps.canceller.cancel(taskId, attempt);
      void actor.offer({ type: 'TaskCancelled', taskId, attempt });
    }
  }

  private async evaluateBindings(actor: RunActor, command: Of<'EvaluateBindings'>): Promise<EngineEvent> {
    const { node, iteration } = command;
    const workflow = actor.plan.processes[command.workflow] as Workflow;
    const step = workflow.steps.find(({ name }) => name === command.step);
    if (!step) throw new Error(`workflow ${command.workflow} has no step ${command.step}`);
    const options = expressionOptions(command.effective, workflow.declaredVersion);
    try {
      const shards = await Promise.all(
        command.shards.map(async ({ index, values }) => {
          const bound = await evaluateStepBindings(
            {
              stepInputs: inputsOf(step, values, command.loop),
              values: definedValues(values),
              when: step.when,
              options,
              effective: command.effective,
            },
            { evaluator: this.deps.evaluator, files: this.deps.files },
          );
          return { index, inputs: bound.inputs, run: bound.run };
        }),
      );
      return { type: 'BindingsEvaluated', node, iteration, shards };
    } catch (error) {
      const failure = failureOf(error, node);
      failure.message = `step '${node}': ${failure.message}`;
      return { type: 'BindingsFailed', node, iteration, firstShard: command.shards[0]?.index ?? 0, failure };
    }
  }

  private async evaluateTool(actor: RunActor, command: Of<'EvaluateExpressionTool'>): Promise<EngineEvent> {
    const { taskId, attempt, inputs } = command;
    const tool = actor.plan.processes[command.process] as ExpressionTool;
    try {
      const outputs = await evaluateExpressionTool(
        { tool, inputs, effective: command.inherited, formats: actor.plan.formats },
        { evaluator: this.deps.evaluator, files: this.deps.files },
      );
      return { type: 'TaskSucceeded', taskId, attempt, outputs };
    } catch (error) {
      return { type: 'TaskFailed', taskId, attempt, failure: failureOf(error, command.step), retryable: false };
    }
  }
}

function jobOf(actor: RunActor, command: Of<'RunTask'>): TaskJob {
  const { noContainer, defaultContainer, noCache } = actor.state.options;
  return {
    runId: actor.runId,
    taskId: command.taskId,
    attempt: command.attempt,
    step: command.step,
    index: command.index,
    pool: actor.base.pool,
    planHash: actor.base.planHash,
    processId: command.process,
    inputs: command.inputs,
    inherited: command.inherited,
    options: { noContainer, ...(defaultContainer !== undefined && { defaultContainer }), ...(noCache && { noCache }) },
    ...(command.avoid && { avoid: command.avoid }),
    ...(command.ramFactor !== undefined && { ramFactor: command.ramFactor }),
    projectId: actor.base.projectId,
    priority: 0,
  };
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
