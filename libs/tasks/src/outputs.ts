/**
 * A finished task → the tool's output object.
 *
 * Invariants:
 *  1. Every output is in order (libs/plan, entries.ts) and type-checked before anything is published.
 *  2. The ordinary case is one collector call (publish, checksums, release); contents for outputEval or cwl.output.json are one more before it.
 */
import { executor } from '@weft/contracts';
import type { CwlObject, CwlValue } from '@weft/plan';
import { inherit, settleEntries } from '@weft/plan';
import type { ExpressionEvaluator } from '@weft/expressions';
import type { BoundTask, OutputCollector, TaskRequest } from './api.js';
import { TaskError } from './api.js';
import { classifyExit } from './exit.js';
import { OutputBindings } from './output-bindings.js';
import { OUTPUT_JSON, readOutputJson } from './output-json.js';
import { OutputPublisher } from './output-publisher.js';
import type { Scope } from './scope.js';
import { expressionOptions } from './scope.js';
import { outputMismatch } from './type-check.js';
import { WorkDirIndex } from './work-dir-index.js';

export async function collectTaskOutputs(
  request: TaskRequest,
  bound: BoundTask,
  finished: executor.Finished,
  collector: OutputCollector,
  evaluator: ExpressionEvaluator,
): Promise<CwlObject> {
  const { tool } = request;
  assertSucceeded(request, finished);
  const effective = inherit(request.effective, tool);
  const { workDir } = bound.spec;
  const index = new WorkDirIndex(finished.manifest, bound.spec);
  const publisher = new OutputPublisher(index, workDir, bound.inputs);
  const runtime = { ...bound.runtime, exitCode: finished.exitCode };
  const scope: Scope = { evaluator, options: expressionOptions(effective, tool.declaredVersion), inputs: bound.inputs, runtime };
  const stated = index.isFile(OUTPUT_JSON);
  const values = stated
    ? await readOutputJson(
        tool.outputs.map((output) => output.name),
        /^v1\.[012]/.test(tool.declaredVersion),
        index.size(OUTPUT_JSON),
        collector,
      )
    : await new OutputBindings({ scope, index, publisher, workDir, effective, declaredVersion: tool.declaredVersion }).evaluate(
        tool.outputs,
        collector,
      );
  settle(values, stated ? OUTPUT_JSON : undefined);
  const types = new Map(tool.outputs.map(({ name, type }) => [name, type]));
  const planned = Object.entries(values).map(([name, given]): [string, CwlValue] => {
    const where = `output '${name}'`;
    const value = given ?? null;
    const type = types.get(name);
    const wrong = type === undefined ? undefined : outputMismatch(type, value, where);
    if (wrong !== undefined) {
      throw new TaskError(value === null ? 'OUTPUT_MISSING' : 'OUTPUT_TYPE', `${wrong}${stated ? ` (from ${OUTPUT_JSON})` : ''}`);
    }
    return [name, publisher.plan(value, where)];
  });
  const outputs: CwlObject = Object.fromEntries(planned);
  await publisher.publish(collector);
  // Listings are known only now: directories of one name are one from here on.
  settle(outputs, stated ? OUTPUT_JSON : undefined);
  return outputs;
}

function settle(outputs: CwlObject, from: string | undefined): void {
  for (const name of Object.keys(outputs)) {
    const problem = settleEntries(outputs[name], { locations: false });
    if (problem !== undefined)
      throw new TaskError('OUTPUT_TYPE', `output '${name}': ${problem}${from === undefined ? '' : ` (from ${from})`}`);
  }
}

function assertSucceeded({ tool }: TaskRequest, finished: executor.Finished): void {
  switch (finished.outcome) {
    case executor.Outcome.EXITED:
      break;
    case executor.Outcome.CANCELLED:
      throw new TaskError('CANCELLED', 'the task was cancelled');
    case executor.Outcome.TIME_LIMIT:
      throw new TaskError('TIME_LIMIT', 'the tool ran longer than its time limit');
    case executor.Outcome.OUT_OF_MEMORY:
      throw new TaskError('OUT_OF_MEMORY', 'the tool used more memory than was reserved for it');
    default:
      throw new TaskError(finished.failure?.code ?? 'INTERNAL', finished.failure?.message ?? 'the runner gave no outcome');
  }
  const exit = classifyExit(tool, finished.exitCode);
  if (exit !== 'success') throw new TaskError('TOOL_EXIT', `the tool ended with exit code ${finished.exitCode} (${exit} failure)`);
}
