export { type Deferred, DeferredGate, Inbox, deferred } from './gate.js';
export { Faults, misbehaving } from './faults.js';
export { type TestRedis, startRedis } from './start-redis.js';
export { FakeRunStoreData, createFakeRunStore } from './fake-run-store.js';
export { aRunHeader, aTaskJob } from './builders.js';
export { type RunStoreFixture, runStoreContract } from './run-store.contract.js';
export { FakeTaskQueueData, createFakeTaskQueue } from './fake-task-queue.js';
export { type TaskQueueFixture, taskQueueContract } from './task-queue.contract.js';
