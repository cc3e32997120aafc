/**
 * Which files a run still needs: the locations of all Files and Directories that a step which is not done, or an output of the run, may
 * get to see. Whatever else its tasks published may go.
 *
 * Valid only while nothing is parked (`mayLoseFiles`): what waits for a retry holds values that are not looked at here.
 */
import type { CwlValue } from '@weft/plan';
import type { RunState, Scope } from './state.js';

export interface LiveLocations {
  locations: Set<string>;
  /** Values looked at: what the answer cost. */
  visited: number;
}

/** Whether files that are not live may be removed: a run that has failed, or is being stopped, may be retried and keeps them all. */
export function mayLoseFiles(state: RunState): boolean {
  return state.phase === 'running' && state.failure === undefined && state.parked.length === 0 && state.options.keepIntermediates !== true;
}

export function liveLocations(state: RunState): LiveLocations {
  const walk = new Walk();
  const scopes = new Set<Scope>();
  for (const instance of state.steps.values()) {
    scopes.add(instance.scope);
    walk.value(instance.loopInputs);
    for (const outputs of instance.loopOutputs) walk.value(outputs);
    for (const outputs of instance.results) walk.value(outputs);
    for (const { shards } of instance.dueBindings.values()) for (const { values } of shards) walk.value(values);
  }
  for (const scope of scopes) for (const value of scope.values.values()) walk.value(value);
  for (const { pending } of state.tasks.values()) {
    walk.visited += 1;
    if (pending) walk.value(pending.inputs);
  }
  walk.value(state.outputs);
  walk.value(state.completed);
  return { locations: walk.locations, visited: walk.visited };
}

/** Shards share what they do not scatter over: each object is looked at once. */
class Walk {
  readonly locations = new Set<string>();
  visited = 0;
  private readonly seen = new Set<object>();

  value(value: CwlValue | undefined): void {
    this.visited += 1;
    if (typeof value !== 'object' || value === null || this.seen.has(value)) return;
    this.seen.add(value);
    if (Array.isArray(value)) {
      for (const item of value) this.value(item);
      return;
    }
    const { location } = value;
    if (typeof location === 'string' && (value['class'] === 'File' || value['class'] === 'Directory')) this.locations.add(location);
    for (const key of Object.keys(value)) this.value(value[key]);
  }
}
