export { decide, type Decision } from './decide.js';
export { initialState, type RunPhase, type RunState, type TaskRecord, type TaskStatus } from './state.js';
export { answeredKey, commandKey } from './outstanding.js';
export type * from './events.js';
export type * from './commands.js';
