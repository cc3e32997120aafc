/** What a step's inputs get from its scope. */
import type { CwlObject, CwlValue, StepInput } from '@weft/plan';
import { resolveLink } from './links.js';
import { pathOf } from './records.js';
import type { StepInstance, Work } from './state.js';
import type { Turn } from './turn.js';

/** Link values by input name with the step's defaults, or undefined after failing the run; `again` is what a retry does then. */
export function linkedValues(
  turn: Turn,
  instance: StepInstance,
  inputs: StepInput[],
  again: Work,
  values: { get(key: string): CwlValue | undefined } = instance.scope.values,
): CwlObject | undefined {
  const linked: CwlObject = {};
  for (const input of inputs) {
    let value: CwlValue = null;
    if (input.link) {
      const result = resolveLink(input.link, values);
      if (!result.ok) {
        const step = pathOf(instance);
        turn.failAndPark({ code: 'LINK', message: `input '${input.name}' of step '${step}': ${result.reason}`, step }, again);
        return undefined;
      }
      value = result.value;
    }
    linked[input.name] = value ?? input.default ?? null;
  }
  return linked;
}
