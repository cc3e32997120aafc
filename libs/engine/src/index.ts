export { decide, type Decision } from './decide.js';
export { initialState, type RunPhase, type RunState, tasksToCome, type TaskRecord, type TaskStatus } from './state.js';
export { ownInput, runInputs } from './own-inputs.js';
export { answeredKey, commandKey } from './outstanding.js';
export { liveLocations, type LiveLocations, mayLoseFiles } from './live-locations.js';
export type * from './events.js';
export { goesOn } from './events.js';
export { CURRENT_RULES, type EngineRules, RULES_VERSION } from './rules.js';
export type * from './commands.js';
