/**
 * The engine: `decide(state, event)`. Pure and synchronous: time and ids come in as data, everything that needs I/O or
 * user code goes out as a command and comes back as an event.
 *
 * Invariants:
 *  1. The same events give the same state and the same commands, in the same order.
 *  2. An event that was already taken into account changes nothing (`ignored` says so).
 *  3. Exactly one EndRun is given out per run and retry, and no command between it and the next retry.
 */
import { askBindings, takeDue, bindingsEvaluated } from './step.machine.js';
import { beginShards } from './shards.machine.js';
import type { Command } from './commands.js';
import type { BindingsEvaluated, BindingsFailed, EngineEvent } from './events.js';
import { accept, cancelAsked, ended, retried, settle } from './run.machine.js';
import { UnknownRulesError } from './rules.js';
import type { RunState } from './state.js';
import { taskAnswered } from './task.machine.js';
import { Turn } from './turn.js';

export interface Decision {
  state: RunState;
  commands: Command[];
  /** Ids of tasks whose record changed. */
  changedTasks: string[];
  /** Why the event had no effect, where it had none. */
  ignored?: string;
}

/** @param atMs when the event was recorded, milliseconds since the epoch */
export function decide(state: RunState, event: EngineEvent, atMs: number): Decision {
  const turn = new Turn(state, atMs);
  if ((state.phase === 'new') !== (event.type === 'RunAccepted')) {
    turn.ignored = state.phase === 'new' ? `${event.type} before RunAccepted` : 'RunAccepted a second time';
  } else {
    apply(turn, event);
    turn.runAgenda();
    beginShards(turn);
    settle(turn);
  }
  const decision: Decision = { state, commands: turn.commands, changedTasks: [...turn.changedTasks] };
  if (turn.ignored !== undefined) decision.ignored = turn.ignored;
  return decision;
}

function apply(turn: Turn, event: EngineEvent): void {
  switch (event.type) {
    case 'RunAccepted':
      return accept(turn, event);
    case 'BindingsEvaluated':
    case 'BindingsFailed':
      return bindingsAnswered(turn, event);
    case 'TaskPreparing':
    case 'TaskStarted':
    case 'TaskSucceeded':
    case 'TaskFailed':
    case 'TaskCancelled':
      return taskAnswered(turn, event);
    case 'CancelAsked':
      return cancelAsked(turn, event);
    case 'RunEnded':
      return ended(turn, event);
    case 'RunRetried':
      return retried(turn);
    default:
      // Of a later version: whoever passed it over would decide otherwise than whoever wrote it.
      throw new UnknownRulesError(`the log has an entry of a kind that this version of weft does not know: ${(event as EngineEvent).type}`);
  }
}

function bindingsAnswered(turn: Turn, event: BindingsEvaluated | BindingsFailed): void {
  const instance = turn.state.steps.get(event.node);
  if (!instance) {
    turn.ignored = `${event.type}: nobody waits for '${event.node}'`;
    return;
  }
  if (event.type === 'BindingsEvaluated') {
    if (!bindingsEvaluated(turn, instance, event)) turn.ignored = `BindingsEvaluated: '${event.node}' has them already`;
    return;
  }
  const chunk = takeDue(turn, instance, event.iteration, event.firstShard);
  if (!chunk) {
    turn.ignored = `BindingsFailed: '${event.node}' has its answer already`;
    return;
  }
  turn.settled();
  turn.failAndPark(event.failure, (later) => askBindings(later, instance, chunk.shards, chunk.loop));
}
