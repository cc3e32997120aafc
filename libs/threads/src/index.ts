export { type Refusals, type ThreadLimits } from './limited-thread.js';
export { type ThreadPoolOptions, ThreadPool } from './thread-pool.js';
export { type WorkerProgram, locateWorkerProgram } from './worker-location.js';
