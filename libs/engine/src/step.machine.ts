/**
 * A step of a workflow: waiting → binding → running → done.
 *
 *   waiting  all steps it takes values from are done           → binding | running
 *   binding  BindingsEvaluated for each chunk of its shards    → running (a shard runs as soon as it is bound)
 *   running  every shard has outputs                           → done, its dependents are told
 *
 * A step without valueFrom, when or loadContents needs no evaluation and goes straight to running.
 * A loop (v1.3) is a step whose single shard goes binding → running once per iteration until `when` is false.
 * Source: CWL v1.2 Workflow §4.1 "WorkflowStep", "Scatter/gather", "Conditional execution".
 */
import type { CwlObject } from '@weft/plan';
import type { BindingsEvaluated, BindingsFailed, BoundShard } from './events.js';
import { resolveLink } from './links.js';
import { pathOf } from './records.js';
import { expand, gather, shardValues, type Shards, unravel } from './scatter.js';
import type { Activation, BindingChunk, Scope, StepInstance } from './state.js';
import { linkedValues } from './step-values.js';
import { sourceKey } from './topology.js';
import type { Turn } from './turn.js';
import { enqueueUnbegun } from './unbegun.js';

export function startStep(turn: Turn, instance: StepInstance): void {
  const values = linkedValues(turn, instance, instance.step.in, { type: 'startStep', step: instance });
  if (!values) return;
  const { step } = instance;
  if (step.scatter.length === 0) {
    begin(turn, instance, { count: 1, values });
    return;
  }
  const expanded = expand(step, values, turn.state.rules.maxShards);
  if (!expanded.ok) {
    const failure = { code: expanded.code, message: `step '${pathOf(instance)}' ${expanded.reason}`, step: pathOf(instance) };
    turn.failAndPark(failure, { type: 'startStep', step: instance });
    return;
  }
  instance.shape = expanded.shape;
  begin(turn, instance, expanded.shards);
}

function begin(turn: Turn, instance: StepInstance, shards: Shards): void {
  instance.results = new Array<CwlObject | undefined>(shards.count).fill(undefined);
  instance.pendingShards = shards.count;
  if (shards.count === 0) {
    finishStep(turn, instance);
    return;
  }
  instance.phase = needsEvaluation(instance) ? 'binding' : 'running';
  instance.shards = shards;
  instance.nextShard = 0;
  // Shards of scatters are begun a few at a time (shards.machine.ts).
  if (instance.shape) enqueueUnbegun(turn.state, instance);
  else beginNextShards(turn, instance, 1);
}

/** Begins up to `room` of the shards that are to be begun (there are some). */
export function beginNextShards(turn: Turn, instance: StepInstance, room: number): void {
  const { shards, nextShard: first } = instance;
  if (!shards) return;
  // What a shard of a workflow will ask for is known only once it is begun.
  const atOnce = needsEvaluation(instance) ? Math.min(turn.state.rules.bindingChunk, room) : isWorkflow(turn, instance) ? 1 : room;
  const count = Math.min(shards.count - first, atOnce);
  const next = Array.from({ length: count }, (_, i) => ({ index: first + i, values: shardValues(instance.step, shards, first + i) }));
  instance.nextShard += count;
  if (instance.nextShard === shards.count) instance.shards = undefined;
  if (needsEvaluation(instance)) askBindings(turn, instance, next, false);
  else for (const { index, values } of next) runShard(turn, instance, index, values);
}

export function askBindings(turn: Turn, instance: StepInstance, shards: { index: number; values: CwlObject }[], loop: boolean): void {
  instance.dueBindings.set(shards[0]?.index ?? 0, { shards, loop });
  turn.state.binding += shards.length;
  turn.await({
    type: 'EvaluateBindings',
    node: instance.node,
    iteration: instance.iteration,
    workflow: instance.scope.workflow.id,
    step: instance.step.name,
    loop,
    effective: instance.effective,
    shards,
  });
}

function needsEvaluation({ step }: StepInstance): boolean {
  if (step.when !== undefined) return true;
  return step.in.some((input) => input.valueFrom !== undefined || input.loadContents === true || input.loadListing !== undefined);
}

function isWorkflow({ state }: Turn, { step }: StepInstance): boolean {
  return state.plan.processes[step.run]?.class === 'Workflow';
}

/** The answer of EvaluateBindings. */
export function bindingsAnswered(turn: Turn, event: BindingsEvaluated | BindingsFailed): void {
  const instance = turn.state.steps.get(event.node);
  if (!instance) {
    turn.ignored = `${event.type}: nobody waits for '${event.node}'`;
    return;
  }
  const first = event.type === 'BindingsEvaluated' ? (event.shards[0]?.index ?? 0) : event.firstShard;
  const chunk = takeDue(turn, instance, event.iteration, first);
  if (!chunk) {
    turn.ignored =
      event.type === 'BindingsEvaluated'
        ? `BindingsEvaluated: '${event.node}' has them already`
        : `BindingsFailed: '${event.node}' has its answer already`;
    return;
  }
  turn.settled();
  if (event.type === 'BindingsEvaluated') turn.now({ type: 'runBound', step: instance, shards: event.shards });
  else turn.failAndPark(event.failure, { type: 'askBindings', step: instance, ...chunk });
}

/** A chunk of evaluated shards: those that are to run do, others are skipped. */
export function runBound(turn: Turn, instance: StepInstance, shards: BoundShard[]): void {
  instance.phase = 'running';
  for (const shard of shards) {
    if (shard.run) {
      if (instance.step.loop) instance.loopInputs = shard.inputs;
      runShard(turn, instance, shard.index, shard.inputs);
    } else if (instance.step.loop) {
      turn.later({ type: 'finishLoop', step: instance });
    } else {
      turn.recordSkipped(instance, indexOf(instance, shard.index));
      shardDone(turn, instance, shard.index, {});
    }
  }
}

/** The chunk whose answer this is, where it is still due; it is not any more afterwards. */
function takeDue(turn: Turn, instance: StepInstance, iteration: number, firstShard: number): BindingChunk | undefined {
  if (instance.iteration !== iteration) return undefined;
  const chunk = instance.dueBindings.get(firstShard);
  instance.dueBindings.delete(firstShard);
  turn.state.binding -= chunk?.shards.length ?? 0;
  return chunk;
}

function runShard(turn: Turn, instance: StepInstance, shard: number, inputs: CwlObject): void {
  const { step, node } = instance;
  const branches = step.scatter.length > 0 ? shard : step.loop ? instance.iteration : undefined;
  const activation: Activation = {
    process: step.run,
    inputs,
    inherited: instance.effective,
    owner: { kind: 'shard', step: instance, shard },
    path: pathOf(instance),
    node: branches === undefined ? node : `${node}[${branches}]`,
    index: indexOf(instance, shard),
    scatterSize: instance.shape && instance.results.length,
  };
  turn.later({ type: 'activate', activation });
}

/** Scatter indexes of a shard, those of the scopes around it first. */
function indexOf(instance: StepInstance, shard: number): string {
  const own = instance.step.loop
    ? String(instance.iteration)
    : instance.step.scatter.length > 0
      ? unravel(shard, instance.shape?.dimensions ?? []).join(',')
      : '';
  return [instance.scope.index, own].filter((part) => part !== '').join('/');
}

/** A shard's process ended with these outputs. */
export function shardDone(turn: Turn, instance: StepInstance, shard: number, outputs: CwlObject): void {
  if (instance.step.loop) {
    turn.now({ type: 'nextIteration', step: instance, outputs });
    return;
  }
  instance.results[shard] = outputs;
  instance.pendingShards -= 1;
  if (instance.pendingShards === 0) turn.later({ type: 'finishStep', step: instance });
}

/** Every shard has ended. */
export function finishStep(turn: Turn, instance: StepInstance): void {
  const { step, shape, results } = instance;
  const names = step.out;
  stepDone(turn, instance, shape ? gather(shape, names, results) : (results[0] ?? {}));
}

/** Hands the step's outputs to the scope and tells whoever waits for them. */
export function stepDone(turn: Turn, instance: StepInstance, outputs: CwlObject): void {
  const { scope, step } = instance;
  turn.state.doneShards += Math.max(1, instance.results.length);
  instance.phase = 'done';
  instance.results = [];
  instance.loopOutputs = [];
  delete instance.loopInputs;
  turn.state.steps.delete(instance.node);
  for (const port of step.out) {
    const key = sourceKey({ step: step.name, port });
    if (scope.topology.uses.has(key)) scope.values.set(key, outputs[port] ?? null);
  }
  forgetSources(scope, step.name);
  for (const name of scope.topology.dependents.get(step.name) ?? []) {
    const dependent = scope.steps.get(name);
    if (!dependent) continue;
    dependent.needs -= 1;
    if (dependent.needs === 0) turn.later({ type: 'startStep', step: dependent });
  }
  scope.pendingSteps -= 1;
  if (scope.pendingSteps === 0) turn.later({ type: 'finishScope', scope });
}

/** A step that is done takes its values no more: those that nobody else takes go. */
function forgetSources({ topology, values, spent }: Scope, step: string): void {
  for (const key of topology.sources.get(step) ?? []) {
    const done = (spent.get(key) ?? 0) + 1;
    if (done >= (topology.uses.get(key) ?? 0)) {
      values.delete(key);
      spent.delete(key);
    } else {
      spent.set(key, done);
    }
  }
}

/** All steps are done: the workflow's outputs go to whoever activated it. */
export function finishScope(turn: Turn, scope: Scope): void {
  const outputs: CwlObject = {};
  for (const parameter of scope.workflow.outputs) {
    const result = resolveLink(parameter.link, scope.values);
    if (!result.ok) {
      const where = scope.path === '' ? 'of the workflow' : `of '${scope.path}'`;
      const failure = { code: 'LINK', message: `output '${parameter.name}' ${where}: ${result.reason}`, step: scope.path };
      turn.failAndPark(failure, { type: 'finishScope', scope });
      return;
    }
    outputs[parameter.name] = result.value;
  }
  turn.now({ type: 'complete', owner: scope.owner, outputs });
}
