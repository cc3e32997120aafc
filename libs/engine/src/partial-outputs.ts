/**
 * The output object of a run that went on after a failure and ended as failed: what succeeded, and null for the rest. Of a scatter that lost shards the
 * others keep their places; of a nested workflow that is not done the outputs that it has.
 *
 * Invariant: every declared output has a member; none is an error, also where its pickValue finds nothing to pick.
 */
import type { CwlObject, CwlValue, SourceRef } from '@weft/plan';
import { resolveLink } from './links.js';
import { gather } from './scatter.js';
import type { RunState, Scope, StepInstance } from './state.js';
import { sourceKey } from './topology.js';

/** Undefined where the run is one of a single tool, or its workflow never began. */
export function partialOutputs(state: RunState): CwlObject | undefined {
  return state.root && new Partial(state).outputsOf(state.root);
}

class Partial {
  /** Scopes that are not done, by who waits for them. */
  private readonly inner = new Map<StepInstance, Map<number, Scope>>();

  constructor(state: RunState) {
    for (const instance of state.steps.values()) {
      for (let { scope } = instance; scope.owner.kind === 'shard'; scope = scope.owner.step.scope) {
        const { step, shard } = scope.owner;
        const shards = this.inner.get(step) ?? new Map<number, Scope>();
        if (shards.has(shard)) break;
        this.inner.set(step, shards.set(shard, scope));
      }
    }
  }

  outputsOf(scope: Scope): CwlObject {
    const outputs = scope.workflow.outputs.map(({ name, link }): [string, CwlValue] => {
      const values = new Map(link.sources.map((source) => [sourceKey(source), this.valueOf(scope, source)]));
      const linked = resolveLink(link, values);
      return [name, linked.ok ? linked.value : null];
    });
    return Object.fromEntries(outputs);
  }

  private valueOf(scope: Scope, source: SourceRef): CwlValue {
    const known = scope.values.get(sourceKey(source));
    if (known !== undefined || source.step === null) return known ?? null;
    const instance = scope.steps.get(source.step);
    if (instance === undefined || instance.phase === 'done' || instance.step.loop) return null;
    if (instance.shape === undefined) return this.shardOf(instance, 0)?.[source.port] ?? null;
    const results = instance.results.map((result, shard) => result ?? this.shardOf(instance, shard));
    return gather(instance.shape, [source.port], results)[source.port] ?? null;
  }

  private shardOf(instance: StepInstance, shard: number): CwlObject | undefined {
    const scope = this.inner.get(instance)?.get(shard);
    return scope && this.outputsOf(scope);
  }
}
