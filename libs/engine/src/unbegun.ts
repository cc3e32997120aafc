/** The scattered steps with shards that are to be begun, the next one last. */
import type { RunState, StepInstance } from './state.js';

/** A scatter's shards are to be begun when their turn comes: after those of the scopes inside it, before those that came later. */
export function enqueueUnbegun({ unbegun }: RunState, instance: StepInstance): void {
  const at = unbegun.findIndex((other) => other.scope.depth >= instance.scope.depth);
  unbegun.splice(at === -1 ? unbegun.length : at, 0, instance);
}
