/**
 * What a command does to a session when it arrives: it starts, waits in the queue, takes effect at once, or is refused.
 *
 * Invariants:
 *  1. Pure: the given session and commands are never changed; the answer holds everything that has to be stored together.
 *  2. A refusal is a ServiceError and changes nothing.
 */
import { ServiceError } from '@weft/platform';
import { DATASETS, namesIpfsContent } from '../commands/datasets.js';
import { isNoLabel, jobOf } from '../commands/jobs.js';
import type { SubmittedLabel } from '../commands/parameters.js';
import { changedConfig } from '../commands/session-config.js';
import { type CommandName, expectedPhase, isBusy, type Phase, possibleCommands, resumePhase, transition } from './session.machine.js';
import type { Command, Session } from './session.types.js';

/** What has to be stored together. */
export interface Change {
  session: Session;
  commands: Command[];
}

/** Commands waiting behind the one that runs, at most. */
export const MAX_QUEUE = 20;
const CAN_WAIT: readonly CommandName[] = ['start_querying', 'continue_querying', 'prompt_training', 'evaluate_model', 'finalize_results'];

/** `queued` are the session's waiting commands, oldest first; `running` the one that runs. */
export function accept(session: Session, command: Command, queued: readonly Command[], running: Command | undefined, now: string): Change {
  const noted = { ...command, notes: [...command.notes, ...remarks(command, session)] };
  if (noted.parsed.name === 'terminate_project') return terminate(session, noted, [...queued, ...(running ? [running] : [])], now);
  if (isBusy(session.phase) && CAN_WAIT.includes(noted.parsed.name)) return enqueue(session, noted, queued, now);
  return begin(session, noted, now);
}

/** Starts a command on an idle session. Throws FAILED_PRECONDITION where the session's phase or data do not allow it. */
export function begin(session: Session, command: Command, now: string): Change {
  const next = transition(session.phase, command.parsed.name);
  if (!next.ok) throw impossible(command.parsed.name, session.phase, next.possible);
  if (command.parsed.name === 'submit_labels') return submitLabels(session, command, now);
  const config = changedConfig(session.config, command.parsed.changes);
  const queries = next.phase === 'querying';
  const started: Session = {
    ...session,
    config,
    phase: next.phase,
    resume: resumePhase(session.phase),
    round: queries ? session.round + 1 : session.round,
    running: command.commandId,
    lastActivity: now,
  };
  guard(started, command);
  const work = jobOf(command.parsed, started);
  if (!work) throw new Error(`${command.parsed.name} runs no workflow`);
  const job = config.cache === undefined ? work : { ...work, cache: config.cache };
  const currentWorkflow = `${job.template}-round-${started.round}`;
  return { session: { ...started, currentWorkflow }, commands: [{ ...command, job }] };
}

function enqueue(session: Session, command: Command, queued: readonly Command[], now: string): Change {
  const { name } = command.parsed;
  const phase = expectedPhase(
    session.phase,
    queued.map((one) => one.parsed.name),
  );
  const next = transition(phase, name);
  if (!next.ok) throw impossible(name, session.phase, possibleCommands(session.phase), `once it is ${phase}: ${list(next.possible)}`);
  if (queued.length >= MAX_QUEUE) {
    throw new ServiceError('RESOURCE_EXHAUSTED', `${queued.length} commands of session ${session.sessionId} wait already`);
  }
  changedConfig(session.config, command.parsed.changes);
  const note = `waits until ${session.currentWorkflow} has ended`;
  return {
    session: { ...session, queue: [...session.queue, command.commandId], lastActivity: now },
    commands: [{ ...command, notes: [...command.notes, note] }],
  };
}

function terminate(session: Session, command: Command, open: readonly Command[], now: string): Change {
  const next = transition(session.phase, 'terminate_project');
  if (!next.ok) throw impossible('terminate_project', session.phase, next.possible);
  const ended: Session = {
    ...session,
    phase: next.phase,
    round: roundsDone(session),
    running: undefined,
    queue: [],
    waiting: [],
    currentWorkflow: '',
    lastActivity: now,
  };
  const stopped = open.map((one) => closed(one, 'failed', 'stopped: the project was terminated', now));
  return { session: ended, commands: [closed(command, 'completed', `session ${session.sessionId} terminated`, now), ...stopped] };
}

function submitLabels(session: Session, command: Command, now: string): Change {
  const submitted = command.parsed.labels;
  checkLabels(session, submitted);
  const usable = submitted.filter((one) => !isNoLabel(one.label));
  const done = new Set(submitted.map((one) => one.sampleId));
  const waiting = session.waiting.filter((id) => !done.has(id));
  const contributors = { ...session.contributors };
  for (const { contributor } of usable) if (contributor) contributors[contributor] = (contributors[contributor] ?? 0) + 1;
  const labels = { ...session.labels, ...Object.fromEntries(usable.map((one) => [one.sampleId, one.label])) };
  const note = `${usable.length} labels taken, ${submitted.length - usable.length} without consensus, ${waiting.length} samples still wait`;
  const data = { labelled: usable.length, without_label: submitted.length - usable.length, waiting };
  return {
    session: { ...session, waiting, labels, contributors, lastActivity: now },
    commands: [{ ...closed(command, 'completed', note, now), data }],
  };
}

function checkLabels(session: Session, submitted: readonly SubmittedLabel[]): void {
  const queried = new Set(session.rounds.at(-1)?.queried ?? []);
  const strangers = submitted.filter((one) => !queried.has(one.sampleId)).map((one) => one.sampleId);
  if (strangers.length > 0) throw invalid(`not among the samples queried in round ${session.round}: ${list(strangers.slice(0, 10))}`);
  const twice = submitted
    .filter((one, i) => submitted.findIndex((other) => other.sampleId === one.sampleId) !== i)
    .map((one) => one.sampleId);
  if (twice.length > 0) throw invalid(`labelled twice in one command: ${list(twice.slice(0, 10))}`);
  const classes: readonly string[] = DATASETS[session.config.dataset];
  const bad = submitted.filter((one) => !classes.includes(one.label) && !isNoLabel(one.label)).map((one) => `'${one.label}'`);
  if (bad.length > 0) throw invalid(`unknown labels ${list([...new Set(bad)])}; ${session.config.dataset} has: ${list(classes)}`);
}

/** Conditions on the session's data, beyond its phase. `session` is the state in which the command would run. */
function guard(session: Session, command: Command): void {
  const { config } = session;
  if (session.phase === 'querying' && session.round > config.maxRounds) {
    throw refused(`session ${session.sessionId} has done its ${config.maxRounds} rounds; possible now: evaluate_model, finalize_results`);
  }
  if (session.phase === 'evaluating' && !session.model)
    throw refused(`session ${session.sessionId} has no model yet: prompt_training first`);
  if (session.phase !== 'training' || config.oracle === 'dataset') return;
  const hash = Object.entries(command.parsed.recorded).find(([key, value]) => /labels/.test(key) && typeof value === 'string');
  const classes = new Set(Object.values(session.labels)).size;
  if (session.waiting.length === 0 && classes >= 2) return;
  if (hash) throw invalid(`${hash[0]} '${hash[1]}' names content that this version cannot fetch; send the labels with submit_labels`);
  if (session.waiting.length > 0) throw refused(`${session.waiting.length} queried samples wait for labels: submit_labels first`);
  throw refused(`training needs labels of at least two classes; session ${session.sessionId} has ${classes}: submit_labels first`);
}

/** The round a session is in once its running query, if any, has come to nothing. */
export function roundsDone(session: Session): number {
  return session.phase === 'querying' ? session.round - 1 : session.round;
}

export function closed(command: Command, status: 'completed' | 'failed', note: string, now: string): Command {
  return { ...command, status, notes: [...command.notes, note], finishedAt: now };
}

/** What a person should know about parameters that were taken but have no effect here. */
function remarks(command: Command, session: Session): string[] {
  const recorded = Object.entries(command.parsed.recorded);
  const hashes = recorded.filter(([, value]) => typeof value === 'string' && namesIpfsContent(value)).map(([key]) => key);
  const others = recorded.map(([key]) => key).filter((key) => !hashes.includes(key));
  return [
    ...(hashes.length > 0
      ? [
          `${list(hashes)}: recorded; content on IPFS is not fetched, the session's own model and its data set '${session.config.dataset}' are used`,
        ]
      : []),
    ...(others.length > 0 ? [`${list(others)}: recorded, no effect here`] : []),
  ];
}

function impossible(name: CommandName, phase: Phase, possible: readonly CommandName[], later?: string): ServiceError {
  const now = possible.length > 0 ? list(possible) : 'none (start_querying opens a new session)';
  return refused(`${name} is not possible while the session is ${phase}; possible now: ${now}${later ? `; ${later}` : ''}`);
}

function list(words: readonly string[]): string {
  return words.join(', ');
}

function refused(message: string): ServiceError {
  return new ServiceError('FAILED_PRECONDITION', message);
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', message);
}
