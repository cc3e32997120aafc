/**
 * Which shards of scatters are begun, and when: a few ahead of what runs, so that a scatter of a hundred thousand costs memory for what is
 * under way and not for what is to come.
 *
 *   no more than `refillAt` tasks wait, and shards are to be begun → some are, until `shardsAhead` wait
 *
 * Invariants:
 *  1. While the run goes on and shards are to be begun, tasks wait: whoever starts tasks never has to wait for the engine.
 *  2. What is deepest goes first: the shards inside a shard that was begun come before that shard's neighbours, so that few scopes are open.
 *  3. When shards are begun depends on the events alone (and on the rules that the run was accepted with): a replay gives the same.
 */
import type { RunState } from './state.js';
import type { Turn } from './turn.js';

/** Fills up to `shardsAhead` what waits, once it has gone down to `refillAt`: answers are many, and each fill is some work. */
export function beginShards(turn: Turn): void {
  const { state } = turn;
  const { shardsAhead, refillAt } = state.rules;
  if (waiting(state) > refillAt) return;
  for (let next = state.unbegun.at(-1); next && state.phase === 'running'; next = state.unbegun.at(-1)) {
    const room = shardsAhead - waiting(state);
    if (room <= 0) return;
    turn.now({ type: 'beginShards', step: next, room });
    if (!next.shards) state.unbegun.splice(state.unbegun.indexOf(next), 1);
    turn.runAgenda();
  }
}

/** Tasks and shards on their way to a runner. */
function waiting({ tally, binding }: RunState): number {
  return tally.queued + binding;
}
