/**
 * A command of a session → the template it runs and the template's inputs. Pure.
 *
 * Invariants: equal sessions give equal inputs; what is drawn in a round depends on the session's seed and the round alone.
 */
import type { Job, Session } from '../session/session.types.js';
import { NO_LABEL, type ParsedCommand } from './parameters.js';

/** Keeps the seeds of rounds apart; any large odd number does. */
const ROUND_STRIDE = 1_000_003;

/** The seed of a round: non-negative and below 2³¹, as numpy and CWL's int take it. */
export function roundSeed(session: Session): number {
  return (session.config.seed + ROUND_STRIDE * session.round) % 0x7fffffff;
}

/** `session` is the state in which the command starts: round and configuration already updated. Undefined: the command runs no workflow. */
export function jobOf(command: ParsedCommand, session: Session): Job | undefined {
  switch (command.name) {
    case 'start_querying':
    case 'continue_querying':
      return { template: 'query-selection', inputs: queryInputs(session) };
    case 'prompt_training':
      return { template: 'training', inputs: trainingInputs(session) };
    case 'evaluate_model':
      return { template: 'evaluation', inputs: { dataset: session.config.dataset, seed: session.config.seed, model: session.model } };
    case 'finalize_results':
      return { template: 'finalize', inputs: { history: jsonFile('history.json', history(session)) } };
    case 'submit_labels':
    case 'terminate_project':
      return undefined;
  }
}

function queryInputs(session: Session): Record<string, unknown> {
  return {
    ...labelInputs(session),
    ...modelInputs(session),
    ...(session.model ? { model: session.model } : {}),
    strategy: session.config.strategy,
    batch_size: session.config.batchSize,
  };
}

function trainingInputs(session: Session): Record<string, unknown> {
  const reveal = session.config.oracle === 'dataset' ? session.waiting : [];
  return { ...labelInputs(session), ...modelInputs(session), ...(reveal.length > 0 ? { reveal } : {}) };
}

function labelInputs(session: Session): Record<string, unknown> {
  const { dataset, seed, oracle, initialPerClass } = session.config;
  const some = Object.keys(session.labels).length > 0;
  return {
    dataset,
    seed,
    round_seed: roundSeed(session),
    initial_per_class: oracle === 'dataset' ? initialPerClass : 0,
    ...(some ? { labels: jsonFile('labels.json', session.labels) } : {}),
  };
}

function modelInputs(session: Session): Record<string, unknown> {
  const { type, hyperparameters } = session.config.model;
  return { model_type: type, hyperparameters: JSON.stringify(hyperparameters) };
}

function history(session: Session): unknown {
  const rounds = session.rounds.map(({ queried, ...round }) => ({ ...round, queried: queried.length }));
  return { rounds, contributors: session.contributors };
}

/** A file literal: its text travels in the input object. */
function jsonFile(basename: string, value: unknown): { class: 'File'; basename: string; contents: string } {
  return { class: 'File', basename, contents: JSON.stringify(value) };
}

export function isNoLabel(label: string): boolean {
  return NO_LABEL.includes(label);
}
