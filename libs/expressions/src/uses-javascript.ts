/** Whether a plan may evaluate JavaScript: then it pays to start the worker before the first script (`StartedEvaluator.warmUp`). */
import { hasAnywhere, type Plan } from '@weft/plan';

export function usesJavascript(plan: Plan): boolean {
  return hasAnywhere(plan, (one) => one.class === 'InlineJavascriptRequirement');
}
