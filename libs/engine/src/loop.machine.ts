/**
 * A looping step (CWL v1.3 `loop`): bound and run again until `when` is false.
 *
 *   an iteration ends     → its outputs are kept, and the bindings of the next one are asked for: inputs from `loop`, others keep their value
 *   `when` was false      → done, with the outputs of the last iteration, or of all as arrays; without any: skipped
 */
import type { CwlObject, CwlValue } from '@weft/plan';
import type { StepInstance } from './state.js';
import { linkedValues } from './step-values.js';
import { sourceKey } from './topology.js';
import type { Turn } from './turn.js';

/** One iteration's process ended: ask for the bindings of the next. */
export function nextIteration(turn: Turn, instance: StepInstance, outputs: CwlObject): void {
  const { step, scope } = instance;
  const own = new Map<string, CwlValue>();
  for (const port of step.out) own.set(sourceKey({ step: step.name, port }), outputs[port] ?? null);
  const values = { get: (key: string): CwlValue | undefined => own.get(key) ?? scope.values.get(key) };
  // A loop input without a source keeps its value for the expressions: `valueFrom: $(inputs.i + 1)` counts.
  const previous = instance.loopInputs ?? {};
  const sourced = (step.loop ?? []).filter((input) => input.link !== undefined || input.default !== undefined);
  const next = linkedValues(turn, instance, sourced, { type: 'nextIteration', step: instance, outputs }, values);
  if (!next) return;
  instance.loopOutputs = step.outputMethod === 'all_iterations' ? [...instance.loopOutputs, outputs] : [outputs];
  instance.iteration += 1;
  turn.state.doneShards += 1;
  instance.phase = 'binding';
  turn.now({ type: 'askBindings', step: instance, shards: [{ index: 0, values: { ...previous, ...next } }], loop: true });
}

/** `when` was false. */
export function finishLoop(turn: Turn, instance: StepInstance): void {
  const { step, loopOutputs } = instance;
  if (loopOutputs.length === 0) turn.recordSkipped(instance, instance.scope.index);
  turn.now({
    type: 'stepDone',
    step: instance,
    outputs: step.outputMethod === 'all_iterations' ? gathered(instance) : (loopOutputs.at(-1) ?? {}),
  });
}

function gathered({ step, loopOutputs }: StepInstance): CwlObject {
  const all: CwlObject = {};
  for (const port of step.out) all[port] = loopOutputs.map((outputs) => outputs[port] ?? null);
  return all;
}
