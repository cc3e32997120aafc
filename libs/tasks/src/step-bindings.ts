/**
 * Step inputs of a workflow: loadContents and loadListing, then every valueFrom, then `when`.
 * Source: CWL v1.2 Workflow §4.2 "WorkflowStepInput": valueFrom sees the inputs as they were before any valueFrom.
 */
import type { CwlObject, CwlValue, EffectiveRequirements, Entry, LoopInput, StepInput } from '@weft/plan';
import { isDirectory, isFileOrDirectory, isObject, visitFiles } from '@weft/plan';
import type { ExpressionOptions } from '@weft/expressions';
import { needsEvaluation } from '@weft/expressions';
import { TaskError } from './api.js';
import { isLiteral, nameAll, nameAndUnite, prepareFile, withoutTaskFields } from './file-values.js';
import { defaultListing } from './input-values.js';
import type { Scope } from './scope.js';
import { brief, evaluate } from './scope.js';
import type { TaskBuilderDeps } from './task-builder.js';

export interface StepBindings {
  /** Of the step, or of its loop. */
  stepInputs: (StepInput | LoopInput)[];
  /** Linked values by name of the step input, defaults applied; for a scattered step, the values of one element. */
  values: CwlObject;
  when?: string;
  /** What the workflow's expressions may do. */
  options: ExpressionOptions;
  /** In effect for the step: LoadListingRequirement says what its expressions see of Directories. */
  effective: EffectiveRequirements;
}

export interface EvaluatedStep {
  /** What the step's process gets. */
  inputs: CwlObject;
  /** False: `when` said no, the step is skipped. */
  run: boolean;
}

/** True where binding the step needs no evaluation and no I/O: its inputs are its values. */
export function isPlainStep(step: Pick<StepBindings, 'stepInputs' | 'when'>): boolean {
  return (
    step.when === undefined &&
    step.stepInputs.every((input) => input.valueFrom === undefined && !input.loadContents && input.loadListing === undefined)
  );
}

/** Rejects with TaskError or ExpressionError. */
export async function evaluateStepBindings(step: StepBindings, deps: TaskBuilderDeps): Promise<EvaluatedStep> {
  const before: CwlObject = {};
  for (const input of step.stepInputs) before[input.name] = step.values[input.name] ?? null;
  if (isPlainStep(step)) return { inputs: before, run: true };
  const seen = structuredClone(before);
  nameAll(seen);
  await load(step, seen, deps);
  const scope: Scope = { evaluator: deps.evaluator, options: step.options, inputs: seen, runtime: {} };
  const after: CwlObject = { ...seen };
  for (const { name, valueFrom } of step.stepInputs) {
    if (valueFrom !== undefined) after[name] = await evaluate(scope, valueFrom, seen[name] ?? null);
  }
  const run = step.when === undefined || (await decide(step.when, { ...scope, inputs: after }));
  await nameAndUnite(after, deps.files);
  return { inputs: handedOn(after), run };
}

async function load(step: StepBindings, values: CwlObject, deps: TaskBuilderDeps): Promise<void> {
  const expressions = [step.when, ...step.stepInputs.map((input) => input.valueFrom)].filter(needsEvaluation).join('\n');
  const otherwise = defaultListing(step.effective, step.options.declaredVersion ?? 'v1.2', expressions);
  const sizes = /\bsize\b|JSON/.test(expressions);
  for (const input of step.stepInputs) {
    for (const entry of outermost(values[input.name] ?? null)) {
      const { loadContents } = input;
      const loadListing = input.loadListing ?? (otherwise === 'no_listing' ? undefined : otherwise);
      // A Directory keeps the listing it came with unless another is asked for.
      if (isDirectory(entry) && loadListing === undefined) continue;
      await prepareFile(entry, { ...(loadContents ? { loadContents } : {}), ...(loadListing ? { loadListing } : {}), sizes }, deps.files);
    }
  }
}

function outermost(value: CwlValue): Entry[] {
  if (Array.isArray(value)) return value.flatMap(outermost);
  if (isFileOrDirectory(value)) return [value];
  return isObject(value) ? Object.keys(value).flatMap((key) => outermost(value[key] ?? null)) : [];
}

async function decide(when: string, scope: Scope): Promise<boolean> {
  const value = await evaluate(scope, when);
  if (typeof value !== 'boolean') throw new TaskError('EXPRESSION', `when must be true or false; ${when} gave ${brief(value)}`, when);
  return value;
}

/** Contents and listings that the step loaded go on to its process; invented locations do not. */
function handedOn(values: CwlObject): CwlObject {
  const copy: CwlObject = {};
  for (const name of Object.keys(values)) {
    const value = values[name] ?? null;
    visitFiles(value, (entry) => {
      if (!isDirectory(entry) && isLiteral(entry) && entry.contents === undefined && !entry.path) {
        throw new TaskError('INPUT_FILE', `input '${name}': File ${entry.basename ?? ''} has neither location nor contents`);
      }
    });
    copy[name] = withoutTaskFields(value, true);
  }
  return copy;
}
