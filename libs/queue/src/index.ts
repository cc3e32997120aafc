export * from './ports.js';
export { type BullTaskQueueOptions, createBullTaskQueue } from './bull-task-queue.adapter.js';
export type { HandledJob } from './bull-task-consumer.js';
export { type BoardQueues, discoverPools, openBoardQueues } from './board-queues.js';
export { checkPool, jobIdOf, taskQueueName, taskQueuePrefix } from './queue-names.js';
export { retryDelayMs } from './retry-delay.js';
