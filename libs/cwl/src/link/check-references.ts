/** Every source, scatter, `out` and step input names something that exists, and every required input of a step's process is given. */
import type { Link, Process, SourceRef, StepInput, WorkflowStep } from '@weft/plan';
import { didYouMean, nearestName } from '../source/nearest-name.js';
import type { Place } from '../source/node.js';
import { shortName } from '../source/uri.js';
import { acceptsNull } from './assignable.js';
import { refName, type WorkflowScope } from './scope.js';

export function checkReferences(scope: WorkflowScope): void {
  for (const step of scope.workflow.steps) {
    for (const input of step.in) checkLink(input.link, scope);
    for (const input of step.loop ?? []) checkLoopSources(step, input.link, scope);
    checkScatter(step, scope);
    const process = scope.processOf(step);
    if (process === undefined) continue;
    checkOut(step, process, scope);
    checkInputs(step, process, scope);
  }
  for (const output of scope.workflow.outputs) checkLink(output.link, scope);
}

function checkLink(link: Link | undefined, scope: WorkflowScope): void {
  for (const ref of link?.sources ?? []) if (!exists(ref, scope)) reportSource(ref, scope);
}

/** True for what a source may name. An output of a step whose process is unknown exists when the step's `out` lists it. */
export function exists(ref: SourceRef, scope: WorkflowScope): boolean {
  if (ref.step === null) return scope.inputs.has(ref.port);
  const step = scope.steps.get(ref.step);
  return step !== undefined && scope.outOf(step).has(ref.port);
}

function reportSource(ref: SourceRef, scope: WorkflowScope): void {
  const place = scope.sourcePlace(ref);
  const name = refName(ref);
  const step = scope.steps.get(ref.step ?? ref.port);
  if (ref.step === null && step !== undefined) {
    const [only] = step.out;
    const hint = step.out.length === 1 ? `did you mean '${step.name}/${only}'?` : undefined;
    scope.reporter.error(place, 'unknown-source', `'${name}' is a step; a source names one of its outputs, as in 'step/output'`, hint);
  } else if (step !== undefined) {
    const process = scope.processOf(step);
    const lists = process !== undefined && scope.outputsOf(process).has(ref.port);
    const message = lists
      ? `step '${step.name}' does not list '${ref.port}' in its 'out'`
      : `step '${step.name}' has no output '${ref.port}'`;
    scope.reporter.error(place, 'unknown-source', message, () => {
      const nearest = nearestName(ref.port, step.out);
      return nearest === undefined ? undefined : `did you mean '${step.name}/${nearest}'?`;
    });
  } else {
    const what = ref.step === null ? `the workflow has no input '${name}'` : `there is no step '${ref.step}', which '${name}' names`;
    scope.reporter.error(place, 'unknown-source', what, () => didYouMean(name, scope.sourceNames()));
  }
}

function checkLoopSources(step: WorkflowStep, link: Link | undefined, scope: WorkflowScope): void {
  const process = scope.processOf(step);
  const outputs = process && scope.outputsOf(process);
  for (const ref of link?.sources ?? []) {
    if (outputs === undefined || outputs.has(ref.port)) continue;
    const message = `a loop takes its next inputs from outputs of its own step; '${step.name}' has no output '${ref.port}'`;
    scope.reporter.error(scope.sourcePlace(ref), 'unknown-source', message, () => didYouMean(ref.port, outputs.keys()));
  }
}

function checkScatter(step: WorkflowStep, scope: WorkflowScope): void {
  const names = new Set(step.in.map((input) => input.name));
  step.scatter.forEach((name, i) => {
    if (names.has(name)) return;
    scope.reporter.error(
      scope.itemPlace(step, 'scatter', i),
      'unknown-scatter',
      `step '${step.name}' has no input '${name}' to scatter over`,
      () => didYouMean(name, names),
    );
  });
}

function checkOut(step: WorkflowStep, process: Process, scope: WorkflowScope): void {
  const outputs = scope.outputsOf(process);
  step.out.forEach((name, i) => {
    if (outputs.has(name)) return;
    const message = `what step '${step.name}' runs has no output '${name}'`;
    scope.reporter.error(scope.itemPlace(step, 'out', i), 'unknown-output', message, () => didYouMean(name, outputs.keys()));
  });
}

/** Inputs beyond the tool's are allowed (`when` and `valueFrom` may use them), but one that looks like a missing one is a slip. */
function checkInputs(step: WorkflowStep, process: Process, scope: WorkflowScope): void {
  const given = new Set(step.in.map((input) => input.name));
  const missing = new Set(
    process.inputs.filter((p) => !given.has(p.name) && p.default === undefined && isRequired(p.type)).map((p) => p.name),
  );
  const known = new Set(process.inputs.map((p) => p.name));
  const free = [...known].filter((name) => !given.has(name));
  const used = step.when !== undefined || step.in.some((input) => input.valueFrom !== undefined);
  for (const input of step.in) {
    if (known.has(input.name)) continue;
    const meant = scope.mayAsk() ? nearestName(input.name, missing) : undefined;
    const message = `what step '${step.name}' runs has no input '${input.name}'`;
    const place = (): Place => inputPlace(step, input, scope);
    if (meant !== undefined) {
      scope.reporter.error(place, 'unknown-step-input', message, `did you mean '${meant}'?`);
      missing.delete(meant);
    } else if (!used) {
      scope.reporter.warning(place, 'unused-step-input', `${message}; its value is not used`, () => didYouMean(input.name, free));
    }
  }
  for (const name of missing) {
    scope.reporter.error(
      scope.placeOf(step, 'in'),
      'missing-input',
      `step '${step.name}' must give the input '${name}' a value: it is required and has no default`,
    );
  }
  checkGiven(step, process, scope);
}

/** An input that is listed but has neither source nor default nor valueFrom gets no value. */
function checkGiven(step: WorkflowStep, process: Process, scope: WorkflowScope): void {
  const parameters = new Map(process.inputs.map((p) => [p.name, p]));
  for (const input of step.in) {
    const parameter = parameters.get(input.name);
    if (parameter === undefined || parameter.default !== undefined || !isRequired(parameter.type)) continue;
    if (input.link !== undefined || input.default !== undefined || input.valueFrom !== undefined) continue;
    const message = `the required input '${input.name}' of step '${step.name}' has neither 'source' nor 'default' nor 'valueFrom'`;
    scope.reporter.error(() => inputPlace(step, input, scope), 'missing-input', message);
  }
}

function isRequired(type: Process['inputs'][number]['type']): boolean {
  return !acceptsNull(type);
}

/** The name of a step input: its key in the map form, else its `id`. */
function inputPlace(step: WorkflowStep, input: StepInput, scope: WorkflowScope): Place {
  const written = scope.origins.node(step)?.entries.get('in')?.value;
  if (written?.kind === 'map') {
    const exact = written.entries.get(input.name);
    if (exact) return exact.place;
    for (const entry of written.entries.values()) if (shortName(entry.key) === input.name) return entry.place;
  }
  return scope.placeOf(input, 'id');
}
