/** What clients send for each command, in both dialects, and what is refused with which words. */
import { parseCommand } from './parameters.js';
import { DEFAULT_CONFIG, openingConfig } from './session-config.js';
import { strategyNames, strategyOf, STRATEGIES } from './strategies.js';

const changes = (command: string, parameters: object) => parseCommand(command, JSON.stringify(parameters)).changes;

describe('parseCommand', () => {
  it.each<[string, string, object, object]>([
    ['batch_size', 'start_querying', { batch_size: 20 }, { batchSize: 20 }],
    ['query_count', 'start_querying', { query_count: 5, batch_size: 20 }, { batchSize: 5 }],
    ['a number as text', 'start_querying', { query_count: '5' }, { batchSize: 5 }],
    ['the alias of least confidence', 'start_querying', { query_strategy: 'uncertainty_sampling' }, { strategy: 'least_confidence' }],
    ['strategy_override', 'continue_querying', { strategy_override: 'margin', query_strategy: 'random' }, { strategy: 'margin' }],
    ['diversity', 'start_querying', { query_strategy: 'diversity_sampling' }, { strategy: 'kmeans' }],
    ['hyperparameters', 'prompt_training', { hyperparameters: { epochs: 50 } }, { hyperparameters: { epochs: 50 } }],
    ['training_config', 'prompt_training', { training_config: { epochs: 50 } }, { hyperparameters: { epochs: 50 } }],
    ['al_config', 'start_querying', { al_config: { query_budget: 7, max_iterations: 3 } }, { batchSize: 7, maxRounds: 3 }],
    ['a parameter over al_config', 'start_querying', { batch_size: 4, al_config: { query_budget: 7 } }, { batchSize: 4 }],
    ['a model in either spelling', 'start_querying', { model_type: 'random_forest_classifier' }, { modelType: 'RandomForestClassifier' }],
    ['cache', 'start_querying', { cache: false }, { cache: false }],
    ['nulls', 'start_querying', { batch_size: null, dataset: null }, {}],
    ['nothing', 'start_querying', {}, {}],
  ])('takes %s', (_, command, parameters, expected) => {
    expect(changes(command, parameters)).toEqual(expected);
  });

  it.each<[object, RegExp]>([
    [{ query_strategy: 'psychic' }, /unknown query strategy 'psychic'; there are: .*margin.*uncertainty_sampling/],
    [{ batch_size: 0 }, /batch_size/],
    [{ batch_size: 2.5 }, /batch_size/],
    [{ dataset: 'imagenet' }, /unknown dataset 'imagenet'; there are: digits, wine, breast_cancer/],
    [{ dataset: 'QmABC123' }, /names content on IPFS, which this version cannot fetch/],
    [{ dataset_hash: 'ipfs://bafybeigdyrzt5sfp7/x' }, /names content on IPFS/],
    [{ model_type: 'Oracle' }, /unknown model_type 'Oracle'; there are: RandomForestClassifier/],
    [{ metrics: ['accuracy', 'luck'] }, /unknown metrics: luck/],
    [{ hyperparameters: 3 }, /hyperparameters/],
    [{ seed: -1 }, /seed/],
  ])('refuses %j', (parameters, message) => {
    expect(() => parseCommand('start_querying', JSON.stringify(parameters))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => parseCommand('start_querying', JSON.stringify(parameters))).toThrow(message);
  });

  it.each(['{', '[1]', '"x"', '3'])('refuses %s as parameters', (json) => {
    expect(() => parseCommand('start_querying', json)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('names the commands that exist', () => {
    expect(() => parseCommand('dance', '{}')).toThrow(/unknown command 'dance'; there are: start_querying/);
  });

  it('keeps what it does not use', () => {
    const { recorded } = parseCommand(
      'start_querying',
      JSON.stringify({ model_hash: 'QmXYZ789', diversity_threshold: 0.8, batch_size: 10 }),
    );
    expect(recorded).toEqual({ model_hash: 'QmXYZ789', diversity_threshold: 0.8 });
  });

  it.each([
    ['session_id', { session_id: 's1' }, '', 's1'],
    ['previous_session_id', { previous_session_id: 's2' }, '', 's2'],
    ['the request over the parameters', { session_id: 's1' }, 's3', 's3'],
  ])('finds the session in %s', (_, parameters, own, expected) => {
    expect(parseCommand('continue_querying', JSON.stringify(parameters), own).sessionId).toBe(expected);
  });

  it('takes labels of people as strings and refuses an empty list', () => {
    const samples = [
      { sample_id: 12, label: 3, contributor: 'ann', confidence: 0.9 },
      { sample_id: '13', label: 'NO_CONSENSUS' },
    ];
    expect(parseCommand('submit_labels', JSON.stringify({ labeled_samples: samples })).labels).toEqual([
      { sampleId: '12', label: '3', contributor: 'ann' },
      { sampleId: '13', label: 'NO_CONSENSUS' },
    ]);
    expect(() => parseCommand('submit_labels', '{"labeled_samples":[]}')).toThrow(/needs labeled_samples/);
  });
});

describe('openingConfig', () => {
  it('starts from the defaults of al_config', () => {
    expect(openingConfig({})).toEqual(DEFAULT_CONFIG);
    expect(DEFAULT_CONFIG).toMatchObject({
      strategy: 'least_confidence',
      batchSize: 10,
      maxRounds: 50,
      model: { type: 'RandomForestClassifier' },
    });
  });
});

describe('strategyOf', () => {
  it.each(strategyNames())('%s stands for a strategy of the templates, however it is written', (name) => {
    expect(STRATEGIES).toContain(strategyOf(name));
    expect(strategyOf(` ${name.toUpperCase().replaceAll('_', '-')} `)).toBe(strategyOf(name));
  });
});
