/**
 * Which step waits for which, worked out once per workflow of a plan and shared by all its activations.
 */
import type { SourceRef, Workflow } from '@weft/plan';

export interface Topology {
  /** Number of different steps that a step waits for. */
  readonly needs: ReadonlyMap<string, number>;
  /** Steps that wait for a step, in document order. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
}

/** Key of a value in a scope: an input's name, or step and port. Names cannot hold '\n'. */
export function sourceKey(source: SourceRef): string {
  return source.step === null ? source.port : `${source.step}\n${source.port}`;
}

export function topologyOf(workflow: Workflow): Topology {
  const needs = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  for (const step of workflow.steps) {
    const waitsFor = new Set<string>();
    for (const input of step.in) {
      for (const source of input.link?.sources ?? []) {
        if (source.step !== null && source.step !== step.name) waitsFor.add(source.step);
      }
    }
    needs.set(step.name, waitsFor.size);
    for (const name of waitsFor) {
      const list = dependents.get(name);
      if (list) list.push(step.name);
      else dependents.set(name, [step.name]);
    }
  }
  return { needs, dependents };
}
