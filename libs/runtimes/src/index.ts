export type {
  AdoptionEvents,
  ExitStatus,
  LogSink,
  Probed,
  ReadOnlyNames,
  RunningTask,
  RuntimeTask,
  StartEvents,
  TaskRuntime,
} from './ports.js';
export { RuntimeFailure } from './ports.js';
export { ProcessRuntime } from './process/process-runtime.js';
export type { ProcessRuntimeOptions } from './process/process-runtime.js';
export { CONTAINMENT_LEVELS, type ContainmentLevel } from './process/containment.js';
export { VIEW as READ_ONLY_VIEW } from './process/launcher-pool.js';
export { DockerRuntime } from './docker/docker-runtime.js';
export type { ContainerLimits } from './docker/create-options.js';
export type { DockerRuntimeOptions } from './docker/docker-runtime.js';
export { isDockerHub } from './docker/image-reference.js';
export { IMAGE_SOURCES, type ImageSource } from './docker/images.js';
