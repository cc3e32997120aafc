/**
 * Which requirements are in effect for a process: its own, then the step's, then those of the workflows around it.
 * Source: CWL v1.2 §5.2 "Requirements and hints": the nearest wins; a requirement anywhere beats a hint anywhere.
 */
import type { Plan, Requirement, RequirementClass } from './types.js';

/** Requirements and hints that a scope hands down to what runs inside it. One entry per class each. */
export interface EffectiveRequirements {
  requirements: Requirement[];
  hints: Requirement[];
}

export const NO_REQUIREMENTS: EffectiveRequirements = { requirements: [], hints: [] };

/** `inner` overrides `outer` class by class. */
export function inherit(outer: EffectiveRequirements, inner: { requirements: Requirement[]; hints: Requirement[] }): EffectiveRequirements {
  if (inner.requirements.length === 0 && inner.hints.length === 0) return outer;
  return { requirements: overlay(outer.requirements, inner.requirements), hints: overlay(outer.hints, inner.hints) };
}

function overlay(outer: Requirement[], inner: Requirement[]): Requirement[] {
  const named = new Set(inner.map((r) => r.class));
  return [...outer.filter((r) => !named.has(r.class)), ...inner];
}

/** Whether any process of the plan, or a step in it, has such a requirement or hint. */
export function hasAnywhere({ processes }: Plan, is: (requirement: Requirement) => boolean): boolean {
  const has = ({ requirements, hints }: EffectiveRequirements): boolean => requirements.some(is) || hints.some(is);
  return Object.values(processes).some((process) => has(process) || (process.class === 'Workflow' && process.steps.some(has)));
}

/** The requirement or hint of a class that is in effect, and which of the two it is. */
export function find<C extends RequirementClass>(
  effective: EffectiveRequirements,
  name: C,
): { value: Extract<Requirement, { class: C }>; required: boolean } | undefined {
  const is = (r: Requirement): r is Extract<Requirement, { class: C }> => r.class === name;
  const required = effective.requirements.find(is);
  if (required) return { value: required, required: true };
  const hinted = effective.hints.find(is);
  return hinted ? { value: hinted, required: false } : undefined;
}
