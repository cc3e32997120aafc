/**
 * What the coordinator remembers: sessions, their rounds and commands. Plain JSON; times are ISO 8601 strings in UTC.
 *
 * Invariants:
 *  1. At most one command of a session runs; the others that were accepted wait in `queue`, oldest first.
 *  2. `waiting` and `labels` never share a sample id, except where a sample is labelled anew.
 *  3. `seed` never changes: the split into pool and held-out samples of a session depends on it.
 */
import type { FileValue } from '@weft/plan';
import type { Strategy } from '../commands/strategies.js';
import type { DatasetName } from '../commands/datasets.js';
import type { ParsedCommand } from '../commands/parameters.js';
import type { Phase } from './session.machine.js';

export type Metrics = Record<string, unknown>;

/** Settled when the session opens; `strategy`, `batchSize` and `model` may be changed by later commands. */
export interface SessionConfig {
  dataset: DatasetName;
  /** Who labels what nobody submitted: the data set itself (simulated setting), or nobody. */
  oracle: 'dataset' | 'none';
  seed: number;
  initialPerClass: number;
  strategy: Strategy;
  batchSize: number;
  maxRounds: number;
  model: { type: string; hyperparameters: Record<string, unknown> };
  /** Whether its runs use results of earlier tasks; absent: as the scheduler is set up. */
  cache?: boolean;
}

export interface Round {
  round: number;
  strategy: string;
  queried: string[];
  /** Samples with a label after the latest training of this round. */
  labelled: number;
  metrics?: Metrics;
}

export interface Session {
  sessionId: string;
  projectId: string;
  /** Number of the stored state this one was read as; 0 = not stored yet. */
  version: number;
  phase: Phase;
  /** Phase to go back to when the running command fails. */
  resume?: Phase;
  round: number;
  createdAt: string;
  lastActivity: string;
  workflowsExecuted: number;
  /** What runs now, e.g. "training-round-3"; empty when nothing does. */
  currentWorkflow: string;
  /** Id of the command that runs. */
  running?: string;
  queue: string[];
  config: SessionConfig;
  waiting: string[];
  labels: Record<string, string>;
  /** Labels submitted so far, by contributor. */
  contributors: Record<string, number>;
  model?: FileValue;
  metrics?: Metrics;
  rounds: Round[];
  contractAddress: string;
}

export type CommandStatus = 'accepted' | 'running' | 'completed' | 'failed';

export interface Command {
  commandId: string;
  projectId: string;
  sessionId: string;
  status: CommandStatus;
  parsed: ParsedCommand;
  /** What happened, in words, oldest first. */
  notes: string[];
  data: unknown;
  /** The workflow this command runs, fixed when it starts. */
  job?: Job;
  runId: string;
  createdAt: string;
  finishedAt?: string;
  contractAddress: string;
  transactionHash: string;
  authorizedBy: string;
}

export const TEMPLATES = ['query-selection', 'training', 'evaluation', 'finalize'] as const;
export type TemplateName = (typeof TEMPLATES)[number];

/** A template with its CWL inputs, all but `python`. */
export interface Job {
  template: TemplateName;
  inputs: Record<string, unknown>;
  /** Whether its run uses results of earlier tasks; absent: as the scheduler is set up. */
  cache?: boolean;
}
