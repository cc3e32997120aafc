/**
 * A process that is to be started.
 *
 *   activate  a Workflow          → its scope is open, the steps that wait for nothing start
 *             a CommandLineTool   → a task, queued
 *             an ExpressionTool   → a task, evaluated here
 *             one that has to do with a file that another changes in place (in-place.ts), an Operation
 *                                 → the run fails, and a retry tries it again
 */
import { inherit, type CommandLineTool, type CwlObject, type CwlValue, type ExpressionTool, type Workflow } from '@weft/plan';
import { type Conflict, useInputs, userOf } from './in-place.js';
import { withDefaults } from './process-inputs.js';
import { nextTaskId, processOf } from './records.js';
import type { Activation, RunState, Scope, StepInstance, TaskRecord } from './state.js';
import { evaluateTool, runTask } from './task-commands.js';
import { topologyOf, type Topology } from './topology.js';
import type { Turn } from './turn.js';

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
      if (conflict !== undefined) return turn.failAndPark(conflict, { type: 'activate', activation });
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
        { type: 'activate', activation },
      );
  }
}

function newTask(turn: Turn, activation: Activation, inputs: CwlObject, expression: boolean): TaskRecord {
  const task = turn.record(activation);
  task.pending = { inputs, inherited: activation.inherited, owner: activation.owner, expression };
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
    if (instance.needs === 0) turn.later({ type: 'startStep', step: instance });
  }
  if (workflow.steps.length === 0) turn.later({ type: 'finishScope', scope });
}

function cachedTopology(state: RunState, workflow: Workflow): Topology {
  const known = state.topologies.get(workflow.id);
  if (known) return known;
  const topology = topologyOf(workflow);
  state.topologies.set(workflow.id, topology);
  return topology;
}
