export * from './api.js';
export { createEvaluator, type EvaluatorOptions } from './evaluator.js';
export { plainNumber } from './interpolate.js';
