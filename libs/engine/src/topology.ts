/**
 * Which step waits for which, worked out once per workflow of a plan and shared by all its activations.
 */
import type { SourceRef, Workflow } from '@weft/plan';

export interface Topology {
  /** Number of different steps that a step waits for. */
  readonly needs: ReadonlyMap<string, number>;
  /** Steps that wait for a step, in document order. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
  /** Keys of the values that a step takes from its scope, each once. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
  /** By key, how many steps take a value; one more where it is (part of) an output of the workflow. Keys that nobody takes are not there. */
  readonly uses: ReadonlyMap<string, number>;
}

/** Key of a value in a scope: an input's name, or step and port. Names cannot hold '\n'. */
export function sourceKey(source: SourceRef): string {
  return source.step === null ? source.port : `${source.step}\n${source.port}`;
}

export function topologyOf(workflow: Workflow): Topology {
  const needs = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  const sources = new Map<string, string[]>();
  const uses = new Map<string, number>();
  const use = (keys: Set<string>): void => keys.forEach((key) => uses.set(key, (uses.get(key) ?? 0) + 1));
  for (const step of workflow.steps) {
    const waitsFor = new Set<string>();
    const taken = new Set<string>();
    for (const source of step.in.flatMap((input) => input.link?.sources ?? [])) {
      if (source.step !== null && source.step !== step.name) waitsFor.add(source.step);
    }
    for (const source of [...step.in, ...(step.loop ?? [])].flatMap((input) => input.link?.sources ?? [])) {
      // Its own outputs, in a loop, come from the iteration before.
      if (source.step !== step.name) taken.add(sourceKey(source));
    }
    sources.set(step.name, [...taken]);
    use(taken);
    needs.set(step.name, waitsFor.size);
    for (const name of waitsFor) {
      const list = dependents.get(name);
      if (list) list.push(step.name);
      else dependents.set(name, [step.name]);
    }
  }
  use(new Set(workflow.outputs.flatMap(({ link }) => link.sources.map(sourceKey))));
  return { needs, dependents, sources, uses };
}
