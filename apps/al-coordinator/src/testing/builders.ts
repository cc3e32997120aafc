/**
 * Sessions and commands for tests.
 */
import { parseCommand } from '../commands/parameters.js';
import { DEFAULT_CONFIG } from '../commands/session-config.js';
import type { Command, Session } from '../session/session.types.js';

export const NOW = '2026-01-02T03:04:05.000Z';

export function aSession(changes: Partial<Session> = {}): Session {
  return {
    sessionId: 'session-1',
    projectId: 'p',
    version: 0,
    phase: 'new',
    round: 0,
    createdAt: NOW,
    lastActivity: NOW,
    workflowsExecuted: 0,
    currentWorkflow: '',
    queue: [],
    config: DEFAULT_CONFIG,
    waiting: [],
    labels: {},
    contributors: {},
    rounds: [],
    contractAddress: '0xc',
    ...changes,
  };
}

export function aCommand(name: string, parameters: object = {}, changes: Partial<Command> = {}): Command {
  return {
    commandId: `cmd-${name}`,
    projectId: 'p',
    sessionId: 'session-1',
    status: 'accepted',
    parsed: parseCommand(name, JSON.stringify(parameters)),
    notes: [],
    data: {},
    runId: '',
    createdAt: NOW,
    contractAddress: '0xc',
    transactionHash: '',
    authorizedBy: '',
    ...changes,
  };
}

/** Output objects as the templates write them. */
export const OUTPUTS = {
  query: (ids: string[], labels: Record<string, string> = { '7': '0', '8': '1' }) => ({
    query: {
      strategy: 'least_confidence',
      requested_strategy: 'least_confidence',
      cold_start: false,
      model: 'initial',
      unlabelled: 100,
      samples: ids.map((id) => ({ id, score: 0.5 })),
    },
    query_file: null,
    summary: {},
    labels_used: labels,
  }),
  training: (labels: Record<string, string>, unused: string[] = []) => ({
    model: { class: 'File', location: 'file:///data/model.joblib', basename: 'model.joblib', size: 10 },
    labels_used: labels,
    report: { labelled: Object.keys(labels).length, unused_hyperparameters: unused, training_accuracy: 1 },
  }),
  evaluation: (accuracy: number) => ({ metrics: { accuracy, precision: accuracy, recall: accuracy, f1: accuracy, samples: 540 } }),
  final: () => ({ summary: { rounds: 1 }, learning_curve: { class: 'File', location: 'file:///data/learning-curve.csv' } }),
};
