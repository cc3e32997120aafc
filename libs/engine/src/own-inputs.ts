/**
 * Which inputs of a task are the run's own, as they were given: who has those need not be given them again.
 *
 * Invariant: what is named is the very value. The links of the steps around the task only say where to look.
 */
import type { Owner, RunState } from './state.js';

/** The name of the run's input that this one of the task is; undefined: none, or it cannot be told. */
export function ownInput(state: RunState, taskId: string, name: string): string | undefined {
  const pending = state.tasks.get(taskId)?.pending;
  if (!pending) return undefined;
  const own = nameInRun(pending.owner, name);
  // A tool that is the run itself has nothing else.
  if (own === undefined || state.root === undefined) return own;
  return state.root.values.get(own) === pending.inputs[name] ? own : undefined;
}

function nameInRun(owner: Owner, name: string): string | undefined {
  let own = name;
  for (let at = owner; at.kind === 'shard'; at = at.step.scope.owner) {
    const [source, ...more] = at.step.step.in.find((input) => input.name === own)?.link?.sources ?? [];
    if (source === undefined || source.step !== null || more.length > 0) return undefined;
    own = source.port;
  }
  return own;
}
