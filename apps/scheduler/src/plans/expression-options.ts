/** What expressions may do under the requirements in effect. Source: CWL v1.2 §5.3 InlineJavascriptRequirement. */
import type { ExpressionOptions } from '@weft/expressions';
import { find, type EffectiveRequirements } from '@weft/plan';

export function expressionOptions(effective: EffectiveRequirements, declaredVersion: string): ExpressionOptions {
  const javascript = find(effective, 'InlineJavascriptRequirement');
  return { javascript: javascript !== undefined, expressionLib: javascript?.value.expressionLib ?? [], declaredVersion };
}
