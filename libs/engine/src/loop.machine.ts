/**
 * A looping step (CWL v1.3 `loop`): bound and run again until `when` is false.
 *
 *   iteration ends → next inputs from `loop` (others keep their value) → EvaluateBindings(loop) → run | finish
 */
import type { CwlObject, CwlValue } from '@weft/plan';
import { recordSkipped } from './activation.js';
import { askBindings, linkedValues, stepOutputs } from './step.machine.js';
import type { StepInstance } from './state.js';
import { sourceKey } from './topology.js';
import type { Turn } from './turn.js';

/** One iteration's process ended: ask for the bindings of the next. */
export function finishIteration(turn: Turn, instance: StepInstance, outputs: CwlObject): void {
  turn.orPark((now) => askNextIteration(now, instance, outputs));
}

function askNextIteration(turn: Turn, instance: StepInstance, outputs: CwlObject): void {
  const { step, scope } = instance;
  const before = instance.loopOutputs;
  instance.loopOutputs = step.outputMethod === 'all_iterations' ? [...instance.loopOutputs, outputs] : [outputs];
  const own = new Map<string, CwlValue>();
  for (const port of step.out) own.set(sourceKey({ step: step.name, port }), outputs[port] ?? null);
  const values = { get: (key: string): CwlValue | undefined => own.get(key) ?? scope.values.get(key) };
  // A loop input without a source keeps its value for the expressions: `valueFrom: $(inputs.i + 1)` counts.
  const previous = instance.loopInputs ?? {};
  const sourced = (step.loop ?? []).filter((input) => input.link !== undefined || input.default !== undefined);
  const again = (later: Turn): void => {
    instance.loopOutputs = before;
    finishIteration(later, instance, outputs);
  };
  const next = linkedValues(turn, instance, sourced, again, values);
  if (!next) return;
  instance.iteration += 1;
  turn.state.doneShards += 1;
  instance.phase = 'binding';
  askBindings(turn, instance, [{ index: 0, values: { ...previous, ...next } }], true);
}

/** `when` was false: the step's outputs are those of the last iteration, or of all as arrays. */
export function finishLoop(turn: Turn, instance: StepInstance): void {
  const { step, loopOutputs } = instance;
  if (loopOutputs.length === 0) recordSkipped(turn, instance, instance.scope.index);
  if (step.outputMethod !== 'all_iterations') {
    stepOutputs(turn, instance, loopOutputs.at(-1) ?? {});
    return;
  }
  const gathered: CwlObject = {};
  for (const port of step.out) gathered[port] = loopOutputs.map((outputs) => outputs[port] ?? null);
  stepOutputs(turn, instance, gathered);
}
