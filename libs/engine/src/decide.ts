/**
 * The engine: `decide(state, event)`. Pure and synchronous: time and ids come in as data, everything that needs I/O or
 * user code goes out as a command and comes back as an event.
 *
 * Invariants:
 *  1. The same events give the same state and the same commands, in the same order.
 *  2. An event that was already taken into account changes nothing (`ignored` says so).
 *  3. Exactly one EndRun is given out per run and retry, and no command between it and the next retry.
 */
import type { Command } from './commands.js';
import type { EngineEvent } from './events.js';
import { finishLoop, nextIteration } from './loop.machine.js';
import { activate } from './process.machine.js';
import { UnknownRulesError } from './rules.js';
import { accept, cancelAsked, ended, retried, settle, succeed } from './run.machine.js';
import { beginShards } from './shards.machine.js';
import type { RunState, Work } from './state.js';
import {
  askBindings,
  beginNextShards,
  bindingsAnswered,
  finishScope,
  finishStep,
  runBound,
  shardDone,
  startStep,
  stepDone,
} from './step.machine.js';
import { retryTask, taskAnswered } from './task.machine.js';
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
  const turn = new Turn(state, atMs, perform);
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

/** Which machine does what. The only place that knows more than one of them. */
function perform(turn: Turn, work: Work): void {
  switch (work.type) {
    case 'activate':
      return activate(turn, work.activation);
    case 'complete':
      if (work.owner.kind === 'root') return turn.now({ type: 'succeed', outputs: work.outputs });
      return shardDone(turn, work.owner.step, work.owner.shard, work.outputs);
    case 'startStep':
      return startStep(turn, work.step);
    case 'beginShards':
      return beginNextShards(turn, work.step, work.room);
    case 'askBindings':
      return askBindings(turn, work.step, work.shards, work.loop);
    case 'runBound':
      return runBound(turn, work.step, work.shards);
    case 'nextIteration':
      return nextIteration(turn, work.step, work.outputs);
    case 'finishLoop':
      return finishLoop(turn, work.step);
    case 'finishStep':
      return finishStep(turn, work.step);
    case 'stepDone':
      return stepDone(turn, work.step, work.outputs);
    case 'finishScope':
      return finishScope(turn, work.scope);
    case 'succeed':
      return succeed(turn, work.outputs);
    case 'retryTask':
      return retryTask(turn, work.task);
  }
}
