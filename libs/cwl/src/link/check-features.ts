/**
 * Features that a workflow must ask for: scatter, several sources, valueFrom in steps, subworkflows (CWL v1.2 Workflow.html §5.2–5.5).
 * A requirement or hint of the workflow, the step or any workflow around them will do. One message per workflow and feature: one is missing.
 */
import type { Link, Process, Requirement, RequirementClass, Workflow, WorkflowStep } from '@weft/plan';
import type { Place } from '../source/node.js';
import type { Around } from './around.js';
import type { WorkflowScope } from './scope.js';

type Owner = { requirements: Requirement[]; hints: Requirement[] };

export function checkFeatures(
  root: string,
  processes: Readonly<Record<string, Process>>,
  scopes: ReadonlyMap<string, WorkflowScope>,
  around: Around,
): void {
  const seen = new Set<string>();
  const open: { key: string; inherited: ReadonlySet<string> }[] = [
    { key: root, inherited: extend(new Set(), { requirements: [...around.requirements], hints: [] }) },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const process = processes[next.key];
    const identity = `${next.key} ${[...next.inherited].sort().join(' ')}`;
    if (process === undefined || seen.has(identity)) continue;
    seen.add(identity);
    const features = extend(next.inherited, process);
    const scope = scopes.get(next.key);
    if (process.class !== 'Workflow' || scope === undefined) continue;
    checkWorkflow(process, features, scope, around.isPart ? 'warning' : 'error');
    for (const step of process.steps) open.push({ key: step.run, inherited: extend(features, step) });
  }
}

/** Said where a process may be run by a workflow. */
export const INHERITED = 'or run it in a workflow that has it';

const FEATURES: readonly RequirementClass[] = [
  'ScatterFeatureRequirement',
  'MultipleInputFeatureRequirement',
  'StepInputExpressionRequirement',
  'SubworkflowFeatureRequirement',
];

function extend(inherited: ReadonlySet<string>, owner: Owner): ReadonlySet<string> {
  const own = [...owner.requirements, ...owner.hints].map((r) => r.class).filter((name) => FEATURES.includes(name) && !inherited.has(name));
  return own.length === 0 ? inherited : new Set([...inherited, ...own]);
}

function checkWorkflow(workflow: Workflow, features: ReadonlySet<string>, scope: WorkflowScope, severity: 'error' | 'warning'): void {
  const missing = new Set<string>();
  const need = (feature: RequirementClass, has: ReadonlySet<string>, place: () => Place, what: string): void => {
    if (has.has(feature) || missing.has(feature)) return;
    missing.add(feature);
    const message = `${what} needs '${feature}' in the requirements of the workflow`;
    scope.reporter[severity](place(), 'missing-requirement', message, severity === 'warning' ? INHERITED : undefined);
  };
  const needSources = (link: Link | undefined, owner: object, field: string, has: ReadonlySet<string>): void => {
    if ((link?.sources.length ?? 0) > 1)
      need('MultipleInputFeatureRequirement', has, () => scope.placeOf(owner, field), 'taking a value from several sources');
  };
  for (const step of workflow.steps) {
    const has = extend(features, step);
    if (step.scatter.length > 0) need('ScatterFeatureRequirement', has, () => scope.placeOf(step, 'scatter'), 'scatter');
    if (scope.processOf(step)?.class === 'Workflow')
      need('SubworkflowFeatureRequirement', has, () => scope.placeOf(step, 'run'), 'running a workflow as a step');
    for (const [input, field] of inputsOf(step)) {
      needSources(input.link, input, field, has);
      if (input.valueFrom !== undefined)
        need('StepInputExpressionRequirement', has, () => scope.placeOf(input, 'valueFrom'), "'valueFrom' of a step input");
    }
  }
  for (const output of workflow.outputs) needSources(output.link, output, 'outputSource', features);
}

function inputsOf(step: WorkflowStep): [WorkflowStep['in'][number], string][] {
  const inputs = step.in.map((input): [WorkflowStep['in'][number], string] => [input, 'source']);
  return [...inputs, ...(step.loop ?? []).map((input): [WorkflowStep['in'][number], string] => [input, 'outputSource'])];
}
