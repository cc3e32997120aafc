export * from './api.js';
export { createEvaluator, ownedBy, type EvaluatorOptions, type StartedEvaluator } from './evaluator.js';
export { interpolatedText } from './interpolate.js';
export type { ExpressionOwner } from './turns.js';
export { usesJavascript } from './uses-javascript.js';
