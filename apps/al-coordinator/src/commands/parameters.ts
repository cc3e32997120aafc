/**
 * The parameters of each command: aliases resolved, types checked, names that stand for something looked up.
 *
 * Invariants:
 *  1. What comes out is complete for its command; nothing downstream looks at the raw parameters again.
 *  2. A parameter that is understood but not used here (a content hash, a threshold the contract applies) is kept in `recorded`.
 */
import { ServiceError } from '@weft/platform';
import { z } from 'zod';
import { type DatasetName, DATASETS, isDataset, namesIpfsContent } from './datasets.js';
import { COMMAND_NAMES, type CommandName } from '../session/session.machine.js';
import { type Strategy, strategyNames, strategyOf } from './strategies.js';

/** Labels that consensus uses to say "no label": the sample goes back to the pool. */
export const NO_LABEL = ['NO_VOTES', 'NO_CONSENSUS'];
const MODEL_TYPES = ['RandomForestClassifier', 'LogisticRegression'] as const;
const METRIC_NAMES = ['accuracy', 'precision', 'recall', 'f1'];

/** What a command may say about the session's configuration; all optional. */
export interface ConfigChanges {
  dataset?: DatasetName;
  oracle?: 'dataset' | 'none';
  seed?: number;
  initialPerClass?: number;
  strategy?: Strategy;
  batchSize?: number;
  maxRounds?: number;
  modelType?: string;
  hyperparameters?: Record<string, unknown>;
  cache?: boolean;
}

export interface SubmittedLabel {
  sampleId: string;
  label: string;
  contributor?: string;
}

export interface ParsedCommand {
  name: CommandName;
  sessionId?: string;
  changes: ConfigChanges;
  labels: SubmittedLabel[];
  /** Given, understood, and not used by this version. */
  recorded: Record<string, unknown>;
}

const count = (max: number) => z.coerce.number().int().min(1).max(max);
const text = z.string().trim().min(1);
const configFields = {
  query_strategy: text.optional(),
  strategy_override: text.optional(),
  query_count: count(100_000).optional(),
  batch_size: count(100_000).optional(),
  query_budget: count(100_000).optional(),
  query_batch_size: count(100_000).optional(),
  max_rounds: count(100_000).optional(),
  max_iterations: count(100_000).optional(),
  dataset: text.optional(),
  dataset_hash: text.optional(),
  oracle: z.enum(['dataset', 'none']).optional(),
  seed: z.coerce.number().int().min(0).max(0x7fffffff).optional(),
  initial_per_class: z.coerce.number().int().min(0).max(1000).optional(),
  model_type: text.optional(),
  hyperparameters: z.record(z.string(), z.unknown()).optional(),
  training_config: z.record(z.string(), z.unknown()).optional(),
  cache: z.boolean().optional(),
};
const ConfigSchema = z.looseObject(configFields);
const sampleLabel = z.union([z.string().min(1), z.number(), z.boolean()]).transform(String);
const LabelSchema = z.looseObject({
  sample_id: z.union([text, z.number().int().min(0)]).transform(String),
  label: sampleLabel,
  contributor: z.string().optional(),
  confidence: z.number().min(0).max(1).optional(),
});
const ParametersSchema = z.looseObject({
  ...configFields,
  al_config: ConfigSchema.optional(),
  session_id: text.optional(),
  previous_session_id: text.optional(),
  labeled_samples: z.array(LabelSchema).optional(),
  metrics: z.array(z.string()).optional(),
});
type Config = z.infer<typeof ConfigSchema>;
type Parameters = z.infer<typeof ParametersSchema>;

const USED = new Set([...Object.keys(configFields), 'al_config', 'session_id', 'previous_session_id', 'labeled_samples', 'metrics']);

/** Throws INVALID_ARGUMENT naming the parameter and what would be right. `sessionId` (the request's own field) wins over the parameters'. */
export function parseCommand(name: string, parametersJson: string, sessionId = ''): ParsedCommand {
  const command = COMMAND_NAMES.find((known) => known === name);
  if (!command) throw invalid(`unknown command '${name}'; there are: ${COMMAND_NAMES.join(', ')}`);
  const parameters = parseParameters(parametersJson);
  checkMetrics(parameters.metrics);
  const named = sessionId || parameters.session_id || parameters.previous_session_id;
  if (command === 'submit_labels' && !parameters.labeled_samples?.length) {
    throw invalid('submit_labels needs labeled_samples: a list of {sample_id, label}');
  }
  return {
    name: command,
    ...(named ? { sessionId: named } : {}),
    changes: { ...changesOf(parameters.al_config ?? {}), ...changesOf(parameters) },
    labels: (parameters.labeled_samples ?? []).map((sample) => ({
      sampleId: sample.sample_id,
      label: sample.label,
      ...(sample.contributor ? { contributor: sample.contributor } : {}),
    })),
    recorded: Object.fromEntries(Object.entries(parameters).filter(([key]) => !USED.has(key))),
  };
}

function parseParameters(json: string): Parameters {
  let value: unknown;
  try {
    value = json.trim() === '' ? {} : JSON.parse(json);
  } catch (error) {
    throw invalid(`parameters are not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const result = ParametersSchema.safeParse(dropNulls(value));
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.map(String).join('.') || 'parameters'}: ${issue.message}`);
  throw invalid(`bad parameters: ${issues.join('; ')}`);
}

/** Clients send null for what they leave out. */
function dropNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key, item]])));
}

function changesOf(config: Config): ConfigChanges {
  const changes: ConfigChanges = {
    dataset: datasetOf(config.dataset ?? config.dataset_hash),
    oracle: config.oracle,
    seed: config.seed,
    initialPerClass: config.initial_per_class,
    strategy: parseStrategy(config.strategy_override ?? config.query_strategy),
    batchSize: config.query_count ?? config.batch_size ?? config.query_batch_size ?? config.query_budget,
    maxRounds: config.max_rounds ?? config.max_iterations,
    modelType: modelTypeOf(config.model_type),
    hyperparameters: config.hyperparameters ?? config.training_config,
    cache: config.cache,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function parseStrategy(name: string | undefined): Strategy | undefined {
  if (name === undefined) return undefined;
  const strategy = strategyOf(name);
  if (!strategy) throw invalid(`unknown query strategy '${name}'; there are: ${strategyNames().join(', ')}`);
  return strategy;
}

function datasetOf(name: string | undefined): DatasetName | undefined {
  if (name === undefined || isDataset(name)) return name;
  const known = Object.keys(DATASETS).join(', ');
  if (namesIpfsContent(name)) {
    throw invalid(`dataset '${name}' names content on IPFS, which this version cannot fetch; configure a built-in data set: ${known}`);
  }
  throw invalid(`unknown dataset '${name}'; there are: ${known}`);
}

function modelTypeOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const found = MODEL_TYPES.find((type) => type.toLowerCase() === name.toLowerCase().replace(/[_\s-]/g, ''));
  if (!found) throw invalid(`unknown model_type '${name}'; there are: ${MODEL_TYPES.join(', ')}`);
  return found;
}

function checkMetrics(metrics: string[] | undefined): void {
  const unknown = (metrics ?? []).filter((name) => !METRIC_NAMES.includes(name));
  if (unknown.length > 0) throw invalid(`unknown metrics: ${unknown.join(', ')}; there are: ${METRIC_NAMES.join(', ')}`);
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', message);
}
