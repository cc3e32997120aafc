export * from './api.js';
export { loadDocument, collectBundle, type LoadOptions } from './load.js';
export { recordingFetcher, bundleFetcher, type DocumentBundle } from './fetchers.js';
export { formatDiagnostic } from './diagnostics.js';
export { inexactIntegers } from './source/parse-json.js';
export { planHash } from './plan-hash.js';
export { normaliseRequirements, normaliseRequirementNode, type NormaliseOptions } from './normalise-requirements.js';
export * from './inputs/index.js';
export * from './pack/index.js';
