/**
 * fast-check as the specs import it (jest.config.mjs): which cases a property is tried with follows from the tree, so that a run says of a tree what any other
 * run says of it. A failing case is printed with its seed and path, which go into `fc.assert(…, { seed, path })`. Others are drawn by `npm run explore`.
 */
import fc from '../node_modules/fast-check/lib/fast-check.js';

const { seed, times, seconds } = globalThis.WEFT_PROPERTIES;
const DEFAULT_RUNS = 100;

/** Of a property that is tried more often than it says, so long as there is time. */
function more(parameters = {}) {
  if (times === 1) return parameters;
  return { ...parameters, numRuns: (parameters.numRuns ?? DEFAULT_RUNS) * times, interruptAfterTimeLimit: seconds * 1000 };
}

fc.configureGlobal(seed === undefined ? {} : { seed });
export * from '../node_modules/fast-check/lib/fast-check.js';
export const assert = (property, parameters) => fc.assert(property, more(parameters));
export default { ...fc, assert };
