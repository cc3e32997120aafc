/**
 * The input object of a whole run: secondary files found beside their primaries, formats checked, once, before anything starts.
 * What it completes travels with the values, so that steps need not (and must not) look for more.
 */
import type { CwlObject, EffectiveRequirements, FormatOntology, Process } from '@weft/plan';
import { inherit } from '@weft/plan';
import { withoutTaskFields } from './file-values.js';
import { prepareInputs } from './input-values.js';
import type { Scope } from './scope.js';
import { expressionOptions } from './scope.js';
import type { TaskBuilderDeps } from './task-builder.js';

export interface RunInputsRequest {
  /** The root process of the plan, of any class. */
  process: Process;
  /** Types checked, defaults applied, locations absolute. */
  inputs: CwlObject;
  effective: EffectiveRequirements;
  formats?: FormatOntology;
}

/** Rejects with TaskError (SECONDARY_FILE, INPUT_FORMAT, INPUT_FILE, INPUT_TYPE, CONTENTS_LIMIT) or ExpressionError. */
export async function prepareRunInputs(request: RunInputsRequest, deps: TaskBuilderDeps): Promise<CwlObject> {
  const { process } = request;
  const effective = inherit(request.effective, process);
  const scope: Scope = {
    evaluator: deps.evaluator,
    options: expressionOptions(effective, process.declaredVersion),
    inputs: {},
    runtime: {},
  };
  const prepared = await prepareInputs(
    request.inputs,
    {
      parameters: process.inputs,
      effective,
      declaredVersion: process.declaredVersion,
      ...(request.formats ? { formats: request.formats } : {}),
      access: deps.files,
      discover: true,
      observed: '',
    },
    scope,
  );
  const inputs: CwlObject = {};
  // loadContents on a workflow's own inputs is for the expressions of its steps: the contents travel on.
  for (const name of Object.keys(prepared)) inputs[name] = withoutTaskFields(prepared[name] ?? null, true);
  return inputs;
}
