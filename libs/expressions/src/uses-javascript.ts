/** Whether a plan may evaluate JavaScript: then it pays to start the worker before the first script (`StartedEvaluator.warmUp`). */
import type { Plan, Requirement } from '@weft/plan';

export function usesJavascript(plan: Plan): boolean {
  return Object.values(plan.processes).some(
    (process) => asksForIt(process) || (process.class === 'Workflow' && process.steps.some((step) => asksForIt(step))),
  );
}

function asksForIt({ requirements, hints }: { requirements: Requirement[]; hints: Requirement[] }): boolean {
  return [...requirements, ...hints].some((r) => r.class === 'InlineJavascriptRequirement');
}
