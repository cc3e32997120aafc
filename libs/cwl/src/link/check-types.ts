/**
 * Types along links: what a source gives (scatter, loop and `when` considered), how linkMerge and pickValue change it, what the sink takes.
 * No value can fit: error (one per link). Some may: warning, except that null is nothing to warn of where a default or `when` stands guard.
 * With `valueFrom` nothing can be said.
 */
import type { CwlType, Link, SourceRef, WorkflowStep } from '@weft/plan';
import { acceptsNull, fit, typeName, withNull, withoutNull } from './assignable.js';
import { exists } from './check-references.js';
import { refName, type WorkflowScope } from './scope.js';

export function checkTypes(scope: WorkflowScope): void {
  for (const step of scope.workflow.steps) {
    const given = new Set(step.in.map((input) => input.name));
    if (step.scatter.some((name) => !given.has(name))) continue;
    const parameters = new Map(scope.processOf(step)?.inputs.map((p) => [p.name, p]));
    for (const input of step.in) {
      const parameter = parameters.get(input.name);
      if (parameter === undefined || input.link === undefined || input.valueFrom !== undefined) continue;
      const tolerant = step.when !== undefined || input.default !== undefined || parameter.default !== undefined;
      const sink = scope.scatterOf(step).has(input.name) ? arrayOf(parameter.type) : parameter.type;
      checkSources(input.link, tolerant ? withNull(sink) : sink, `input '${input.name}' of step '${step.name}'`, scope);
    }
  }
  for (const output of scope.workflow.outputs) checkSources(output.link, output.type, `output '${output.name}'`, scope);
}

function checkSources(link: Link, sink: CwlType, what: string, scope: WorkflowScope): void {
  for (const ref of link.sources) {
    if (!exists(ref, scope)) continue;
    const source = sourceType(ref, scope);
    if (source === undefined) continue;
    const given = merged(source, link);
    const result = fit(given, sink);
    if (result === 'yes') continue;
    const place = scope.sourcePlace(ref);
    const how = link.list ? ` (by ${link.linkMerge}${link.pickValue === undefined ? '' : ` and ${link.pickValue}`})` : '';
    const message = `'${refName(ref)}' gives ${typeName(given)}${how}, but ${what} takes ${typeName(sink)}`;
    if (result === 'no') return scope.reporter.error(place, 'incompatible-types', message);
    if (acceptsNull(given) && fit(withoutNull(given), sink) === 'yes')
      scope.reporter.warning(place, 'may-be-null', `'${refName(ref)}' may be null, but ${what} takes ${typeName(sink)}`);
    else scope.reporter.warning(place, 'incompatible-types', message);
  }
}

function merged(source: CwlType, link: Link): CwlType {
  if (!link.list) return link.pickValue === undefined ? source : pickedFrom(source, link.pickValue);
  const item = link.linkMerge === 'merge_flattened' ? flattened(source) : source;
  return link.pickValue === undefined ? arrayOf(item) : pickedFrom(arrayOf(item), link.pickValue);
}

/** Of one source that gives a list, as a step that is scattered and has `when`, its values are what is picked from. */
function pickedFrom(type: CwlType, pickValue: NonNullable<Link['pickValue']>): CwlType {
  if (Array.isArray(type)) {
    const picked = withoutNull(type);
    return Array.isArray(picked) ? picked.map((member) => pickedFrom(member, pickValue)).flat() : pickedFrom(picked, pickValue);
  }
  if (typeof type !== 'object' || type.type !== 'array') return type;
  const items = withoutNull(type.items);
  return pickValue === 'all_non_null' ? arrayOf(items) : items;
}

function flattened(type: CwlType): CwlType {
  if (Array.isArray(type)) return type.map(flattened).flatMap((member) => (Array.isArray(member) ? member : [member]));
  return typeof type === 'object' && type.type === 'array' ? type.items : type;
}

const arrayOf = (items: CwlType): CwlType => ({ type: 'array', items });

/** Undefined where it is not known. */
function sourceType(ref: SourceRef, scope: WorkflowScope): CwlType | undefined {
  if (ref.step === null) return scope.inputs.get(ref.port)?.type;
  const step = scope.steps.get(ref.step);
  const process = step && scope.processOf(step);
  const output = process && scope.outputsOf(process).get(ref.port);
  return step && output && stepOutputType(step, output.type);
}

function stepOutputType(step: WorkflowStep, type: CwlType): CwlType {
  if (step.loop !== undefined) return step.outputMethod === 'all_iterations' ? arrayOf(type) : type;
  const one = step.when === undefined ? type : withNull(type);
  const depth = step.scatterMethod === 'nested_crossproduct' ? step.scatter.length : Math.min(1, step.scatter.length);
  return Array.from({ length: depth }).reduce<CwlType>((inner) => arrayOf(inner), one);
}
