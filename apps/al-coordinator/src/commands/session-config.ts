/**
 * A session's configuration: the defaults of `al_config`, and what commands change of it.
 */
import { ServiceError } from '@weft/platform';
import type { SessionConfig } from '../session/session.types.js';
import type { ConfigChanges } from './parameters.js';

/** `consensus_threshold`, `voting` and `label_space` are the contract's; a built-in data set brings its own label space. */
export const DEFAULT_CONFIG: SessionConfig = {
  dataset: 'digits',
  oracle: 'dataset',
  seed: 0,
  initialPerClass: 2,
  strategy: 'least_confidence',
  batchSize: 10,
  maxRounds: 50,
  model: { type: 'RandomForestClassifier', hyperparameters: {} },
};

export function openingConfig(changes: ConfigChanges): SessionConfig {
  return change(DEFAULT_CONFIG, changes);
}

/** Throws INVALID_ARGUMENT where a command would change what the session's split and labels rest on. */
export function changedConfig(config: SessionConfig, changes: ConfigChanges): SessionConfig {
  for (const key of ['dataset', 'seed', 'initialPerClass'] as const) {
    if (changes[key] !== undefined && changes[key] !== config[key]) {
      throw new ServiceError(
        'INVALID_ARGUMENT',
        `${key} of a session is fixed when it opens (it is ${config[key]}); open a new session for another`,
      );
    }
  }
  return change(config, changes);
}

function change(config: SessionConfig, { modelType, hyperparameters, ...changes }: ConfigChanges): SessionConfig {
  return {
    ...config,
    ...changes,
    model: { type: modelType ?? config.model.type, hyperparameters: hyperparameters ?? config.model.hyperparameters },
  };
}
