/**
 * ExpressionTool: prepares its files for expressions, evaluates it, checks what it gave. Runs in the scheduler; nothing is staged.
 * Source: CWL v1.2 Workflow §5.2 "ExpressionTool".
 */
import type { CwlObject, EffectiveRequirements, ExpressionTool, FormatOntology } from '@weft/plan';
import { inherit, isFile, isObject, visitFiles } from '@weft/plan';
import { TaskError } from './api.js';
import { describeLiteral, isLiteral, nameAndUnite, withoutTaskFields } from './file-values.js';
import { prepareInputs } from './input-values.js';
import { evaluateResources, runtimeObject } from './resources.js';
import type { Scope } from './scope.js';
import { brief, evaluate, expressionOptions, expressionTexts } from './scope.js';
import type { TaskBuilderDeps } from './task-builder.js';
import { outputMismatch } from './type-check.js';

export interface ExpressionToolRequest {
  tool: ExpressionTool;
  /** Input object after step bindings, defaults applied. */
  inputs: CwlObject;
  effective: EffectiveRequirements;
  formats?: FormatOntology;
  /** As in TaskRequest. */
  discoverSecondaryFiles?: boolean;
}

/** The tool's output object. Rejects with TaskError or ExpressionError. */
export async function evaluateExpressionTool(request: ExpressionToolRequest, deps: TaskBuilderDeps): Promise<CwlObject> {
  const { tool } = request;
  const effective = inherit(request.effective, tool);
  const scope: Scope = { evaluator: deps.evaluator, options: expressionOptions(effective, tool.declaredVersion), inputs: {}, runtime: {} };
  await prepareInputs(
    request.inputs,
    {
      parameters: tool.inputs,
      effective,
      declaredVersion: tool.declaredVersion,
      ...(request.formats ? { formats: request.formats } : {}),
      access: deps.files,
      discover: request.discoverSecondaryFiles ?? false,
      observed: expressionTexts([tool, effective]),
    },
    scope,
  );
  scope.runtime = runtimeObject(await evaluateResources(scope, effective, tool.declaredVersion));
  const result = await evaluate(scope, tool.expression);
  if (!isObject(result))
    throw new TaskError('EXPRESSION', `the expression must give an object of outputs, got ${brief(result)}`, tool.expression);
  const outputs: CwlObject = {};
  for (const output of tool.outputs) {
    const wrong = outputMismatch(output.type, result[output.name], `output '${output.name}'`);
    const value = result[output.name] ?? null;
    if (wrong !== undefined) throw new TaskError(value === null ? 'OUTPUT_MISSING' : 'OUTPUT_TYPE', wrong);
    await nameAndUnite(value, deps.files);
    visitFiles(value, (entry) => {
      if (isFile(entry) && isLiteral(entry)) describeLiteral(entry);
    });
    outputs[output.name] = withoutTaskFields(value);
  }
  return outputs;
}
