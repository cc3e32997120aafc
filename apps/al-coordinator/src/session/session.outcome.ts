/**
 * What the end of a workflow does to its session: results go in, the phase moves on, the next waiting command starts.
 *
 * Invariants: pure; a command that has ended already, or is not the one that runs, changes nothing (undefined).
 */
import { isServiceError } from '@weft/platform';
import { EvaluationResult, FinalResult, parseResult, QueryResult, TrainingResult } from '../commands/results.js';
import { begin, type Change, closed, roundsDone } from './session.decider.js';
import { type Outcome, transition } from './session.machine.js';
import type { Command, Metrics, Round, Session } from './session.types.js';

/** How the run of a command ended. */
export type RunEnd = { ok: true; outputsJson: string } | { ok: false; message: string };

interface Result {
  outcome: Outcome;
  session: Session;
  note: string;
  data: unknown;
}

/** `queued` are the session's waiting commands, oldest first. */
export function finish(session: Session, command: Command, end: RunEnd, queued: readonly Command[], now: string): Change | undefined {
  if (session.running !== command.commandId || command.finishedAt) return undefined;
  const result = end.ok ? resultOf(session, command, end.outputsJson) : failure(session, end.message);
  const next = transition(session.phase, result.outcome, session.resume);
  if (!next.ok) throw new Error(`a workflow ended ${result.outcome} while the session was ${session.phase}`);
  const after: Session = {
    ...result.session,
    phase: next.phase,
    resume: undefined,
    running: undefined,
    currentWorkflow: '',
    round: result.outcome === 'succeeded' ? session.round : roundsDone(session),
    workflowsExecuted: session.workflowsExecuted + (command.runId === '' ? 0 : 1),
    lastActivity: now,
  };
  const status = result.outcome === 'failed' ? 'failed' : 'completed';
  return startNext({ session: after, commands: [{ ...closed(command, status, result.note, now), data: result.data }] }, queued, now);
}

/** Starts the first waiting command that the session allows now; those before it are refused, each with its reason. */
function startNext(change: Change, queued: readonly Command[], now: string): Change {
  let { session } = change;
  const commands = [...change.commands];
  for (const command of queued) {
    session = { ...session, queue: session.queue.filter((id) => id !== command.commandId) };
    try {
      const begun = begin(session, command, now);
      return { session: begun.session, commands: [...commands, ...begun.commands] };
    } catch (error) {
      if (!isServiceError(error)) throw error;
      commands.push(closed(command, 'failed', `not started: ${error.message}`, now));
    }
  }
  return { session, commands };
}

function resultOf(session: Session, command: Command, outputsJson: string): Result {
  try {
    switch (command.job?.template) {
      case 'query-selection':
        return queried(session, outputsJson);
      case 'training':
        return trained(session, outputsJson);
      case 'evaluation':
        return evaluated(session, outputsJson);
      case 'finalize':
        return finalized(session, outputsJson);
      default:
        throw new Error('the command has no template');
    }
  } catch (error) {
    return failure(session, error instanceof Error ? error.message : String(error));
  }
}

function failure(session: Session, message: string): Result {
  return { outcome: 'failed', session, note: message, data: {} };
}

function queried(session: Session, outputsJson: string): Result {
  const { query, labels_used: labels } = parseResult(QueryResult, outputsJson);
  const ids = query.samples.map((sample) => sample.id);
  const labelled = Object.keys(labels).length;
  const data = { round: session.round, ...query };
  if (ids.length === 0)
    return { outcome: 'exhausted', session: { ...session, labels }, note: 'no unlabelled sample is left in the pool', data };
  const round: Round = { round: session.round, strategy: query.strategy, queried: ids, labelled };
  const how = query.cold_start ? `at random, as there is no model for ${query.requested_strategy} yet` : `by ${query.strategy}`;
  return {
    outcome: 'succeeded',
    session: { ...session, labels, waiting: ids, rounds: [...session.rounds, round] },
    note: `${ids.length} samples chosen ${how}`,
    data,
  };
}

function trained(session: Session, outputsJson: string): Result {
  const { model, labels_used: labels, report } = parseResult(TrainingResult, outputsJson);
  const unused = report.unused_hyperparameters;
  const note = `trained on ${report.labelled} labels${unused.length > 0 ? `; ${session.config.model.type} takes no ${unused.join(', ')}` : ''}`;
  return {
    outcome: 'succeeded',
    session: { ...session, model, labels, waiting: [], rounds: inRound(session, { labelled: report.labelled }) },
    note,
    data: { round: session.round, model_uri: model.location, ...report },
  };
}

function evaluated(session: Session, outputsJson: string): Result {
  const metrics: Metrics = parseResult(EvaluationResult, outputsJson).metrics;
  return {
    outcome: 'succeeded',
    session: { ...session, metrics, rounds: inRound(session, { metrics }) },
    note: `accuracy ${metrics['accuracy']} on ${metrics['samples']} held-out samples`,
    data: { round: session.round, metrics },
  };
}

function finalized(session: Session, outputsJson: string): Result {
  const { summary, learning_curve: curve } = parseResult(FinalResult, outputsJson);
  return {
    outcome: 'succeeded',
    session: { ...session, waiting: [] },
    note: 'session completed',
    data: { summary, learning_curve: curve.location },
  };
}

/** The rounds with something noted in the current one; a session that trained before it queried gets a round 0. */
function inRound(session: Session, noted: Partial<Round>): Round[] {
  const current = session.rounds.at(-1) ?? { round: session.round, strategy: 'initial', queried: [], labelled: 0 };
  return [...session.rounds.slice(0, -1), { ...current, ...noted }];
}
