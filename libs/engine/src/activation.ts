/**
 * Starting a process: a workflow opens a scope, a tool becomes a task, an expression tool an evaluation.
 */
import {
  type CommandLineTool,
  type CwlObject,
  type CwlValue,
  type EffectiveRequirements,
  type ExpressionTool,
  inherit,
  type Process,
  type Workflow,
} from '@weft/plan';
import { type Conflict, useInputs, userOf } from './in-place.js';
import { finishScope, startStep } from './step.machine.js';
import {
  addTask,
  setStatus,
  type Owner,
  type PendingTask,
  type RunState,
  type Scope,
  type StepInstance,
  type TaskRecord,
} from './state.js';
import { topologyOf, type Topology } from './topology.js';
import type { Turn } from './turn.js';

export interface Activation {
  process: string;
  inputs: CwlObject;
  inherited: EffectiveRequirements;
  owner: Owner;
  /** Step path without and with indexes, and the indexes alone (see Scope). */
  path: string;
  node: string;
  index: string;
  /** Shards of the scatter that it is one of. */
  scatterSize?: number;
}

export function activate(turn: Turn, activation: Activation): void {
  const process = processOf(turn.state, activation.process);
  const inputs = withDefaults(process, activation.inputs);
  switch (process.class) {
    case 'Workflow':
      openScope(turn, process, inputs, activation);
      return;
    case 'CommandLineTool':
    case 'ExpressionTool': {
      const conflict = conflictOf(turn, process, inputs, activation);
      if (conflict !== undefined) return turn.failAndPark(conflict, (later) => activate(later, activation));
      const task = newTask(turn, activation, inputs, process.class === 'ExpressionTool');
      turn.await(task.pending?.expression ? evaluateTool(task) : runTask(task, turn.atMs, 0));
      return;
    }
    case 'Operation':
      turn.failAndPark(
        {
          code: 'UNSUPPORTED',
          message: `'${activation.path || process.id}' is an Operation: it says what a step is for, not how to run it`,
          step: activation.path,
        },
        (later) => activate(later, activation),
      );
  }
}

/** The command for a task's current attempt. */
export function runTask(task: TaskRecord, decidedAtMs: number, delayMs: number): Extract<Turn['commands'][number], { type: 'RunTask' }> {
  const { taskId, attempt, step, index, process } = task;
  const { inputs, inherited, avoid, ramFactor } = pendingOf(task);
  return {
    ...{ type: 'RunTask', taskId, attempt, step, index, process, inputs, inherited, decidedAtMs, delayMs },
    ...(avoid && { avoid: [...avoid] }),
    ...(ramFactor !== undefined && { ramFactor }),
  };
}

/** The command that evaluates an expression tool's current attempt. */
export function evaluateTool(task: TaskRecord): Extract<Turn['commands'][number], { type: 'EvaluateExpressionTool' }> {
  const { taskId, attempt, step, process } = task;
  const { inputs, inherited } = pendingOf(task);
  return { type: 'EvaluateExpressionTool', taskId, attempt, step, process, inputs, inherited };
}

export function pendingOf(task: TaskRecord): PendingTask {
  if (!task.pending) throw new Error(`task ${task.taskId} has succeeded`);
  return task.pending;
}

/** Records a step's shard that did not run. */
export function recordSkipped(turn: Turn, step: StepInstance, index: string): void {
  const task = addRecord(turn, { path: stepPath(step), index, process: step.step.run, scatterSize: step.shape && step.results.length });
  task.finishedAtMs = turn.atMs;
  setStatus(turn.state, task, 'skipped');
}

export function stepPath(step: StepInstance): string {
  return step.scope.path === '' ? step.step.name : `${step.scope.path}/${step.step.name}`;
}

function newTask(turn: Turn, activation: Activation, inputs: CwlObject, expression: boolean): TaskRecord {
  const task = addRecord(turn, activation);
  task.pending = { inputs, inherited: activation.inherited, owner: activation.owner, expression };
  return task;
}

function addRecord(turn: Turn, of: Pick<Activation, 'path' | 'index' | 'process' | 'scatterSize'>): TaskRecord {
  const { state } = turn;
  const taskId = nextTaskId(state);
  const task: TaskRecord = {
    ...{ taskId, step: of.path, index: of.index, process: of.process, scatterSize: of.scatterSize, status: 'queued', attempt: 1 },
    ...{ runnerId: undefined, runtime: undefined, preparing: undefined, exitCode: undefined, cached: false, failure: undefined },
    ...{ queuedAtMs: turn.atMs, startedAtMs: undefined, finishedAtMs: undefined, outputs: undefined, pending: undefined },
  };
  addTask(state, task);
  turn.changedTasks.add(taskId);
  return task;
}

function conflictOf(
  { state }: Turn,
  process: CommandLineTool | ExpressionTool,
  inputs: CwlObject,
  activation: Activation,
): Conflict | undefined {
  if (state.inPlace === undefined) return undefined;
  return useInputs(state, userOf(nextTaskId(state), activation), process, inputs, activation.inherited);
}

/** Joined, not concatenated: an id lives as long as the run, and a concatenation keeps its parts beside it. */
function nextTaskId(state: RunState): string {
  return [state.runId, state.tasks.size + 1].join('-');
}

function openScope(turn: Turn, workflow: Workflow, inputs: CwlObject, activation: Activation): void {
  const values = new Map<string, CwlValue>();
  const topology = cachedTopology(turn.state, workflow);
  for (const { name } of workflow.inputs) if (topology.uses.has(name)) values.set(name, inputs[name] ?? null);
  const scope: Scope = {
    path: activation.path,
    index: activation.index,
    node: activation.node,
    workflow,
    topology,
    inherited: inherit(activation.inherited, workflow),
    owner: activation.owner,
    depth: activation.owner.kind === 'shard' ? activation.owner.step.scope.depth + 1 : 0,
    values,
    spent: new Map(),
    steps: new Map(),
    pendingSteps: workflow.steps.length,
  };
  if (activation.owner.kind === 'root') turn.state.root = scope;
  for (const step of workflow.steps) {
    const instance: StepInstance = {
      scope,
      step,
      node: scope.node === '' ? step.name : `${scope.node}/${step.name}`,
      effective: inherit(scope.inherited, step),
      phase: 'waiting',
      needs: topology.needs.get(step.name) ?? 0,
      nextShard: 0,
      results: [],
      pendingShards: 0,
      iteration: 0,
      loopOutputs: [],
      dueBindings: new Map(),
    };
    scope.steps.set(step.name, instance);
    turn.state.steps.set(instance.node, instance);
    if (instance.needs === 0) turn.later(() => startStep(turn, instance));
  }
  if (workflow.steps.length === 0) turn.later(() => finishScope(turn, scope));
}

function cachedTopology(state: RunState, workflow: Workflow): Topology {
  const known = state.topologies.get(workflow.id);
  if (known) return known;
  const topology = topologyOf(workflow);
  state.topologies.set(workflow.id, topology);
  return topology;
}

/** Only what the process declares, with defaults where nothing or null was given (CWL v1.2 §2.3.1 `default`). */
export function withDefaults(process: Process, inputs: CwlObject): Record<string, CwlValue> {
  const complete: Record<string, CwlValue> = {};
  for (const parameter of process.inputs) complete[parameter.name] = inputs[parameter.name] ?? parameter.default ?? null;
  return complete;
}

export function processOf(state: RunState, id: string): Process {
  const process = state.plan.processes[id];
  if (!process) throw new Error(`the plan has no process '${id}'`);
  return process;
}
