export * from './api.js';
export { createEvaluator, type EvaluatorOptions, type StartedEvaluator } from './evaluator.js';
export { plainNumber } from './interpolate.js';
export { locateWorkerProgram, type WorkerProgram } from './worker-location.js';
export { usesJavascript } from './uses-javascript.js';
