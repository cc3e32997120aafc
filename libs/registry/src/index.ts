export * from './ports.js';
export { type RedisRunnerRegistry, type RedisRunnerRegistryOptions, createRedisRunnerRegistry } from './redis-runner-registry.adapter.js';
export { RunnerFileError, createStaticRunnerRegistry, withStaticRunners } from './static-runner-registry.adapter.js';
