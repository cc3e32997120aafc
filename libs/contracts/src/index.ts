/**
 * Types, service definitions and clients generated from proto/ (see tools/proto.mjs). Namespaced by package:
 * `import { executor } from '@weft/contracts'` gives `executor.TaskSpec`, `executor.ContainerExecutorClient`, ….
 */
export * as run from './gen/weft/run/v1/run.js';
export * as scheduler from './gen/weft/scheduler/v1/scheduler.js';
export * as gateway from './gen/weft/gateway/v1/runs.js';
export * as executor from './gen/weft/executor/v1/executor.js';
export * as registry from './gen/weft/registry/v1/registry.js';
export * as status from './status-words.js';
export * as al from './gen/weft/al/v1/al.js';
