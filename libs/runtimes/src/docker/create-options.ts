/** What is asked of the engine for one task. Pure. */
import type Docker from 'dockerode';
import type { RuntimeTask } from '../ports.js';

export const LABELS = {
  owner: 'weft.owner',
  runner: 'weft.runner',
  key: 'weft.key',
  task: 'weft.task',
  attempt: 'weft.attempt',
  run: 'weft.run',
} as const;

/** What a container may take whose task does not say. */
export interface ContainerLimits {
  /** Processes and threads together. */
  pids: number;
  /** 'reserved': what the task holds of the runner; else bytes. */
  memory: 'reserved' | number;
}

export interface ContainerContext {
  image: string;
  runnerId: string;
  ownerId: string;
  /** `uid:gid` */
  user: string;
  /** Podman has no binary-safe log driver of that name; its own default keeps the log. */
  podman: boolean;
  /** Where a task says none. */
  limits?: ContainerLimits;
  /** `host:ip`, known to tasks that may use the network (docker run --add-host). */
  extraHosts?: readonly string[];
}

export function createOptions(task: RuntimeTask, context: ContainerContext): Docker.ContainerCreateOptions & { name: string } {
  const { spec } = task;
  const stdin = task.hostStdin !== undefined;
  return {
    name: containerName(task, context),
    Image: context.image,
    // The image's entrypoint, where it has one, gets argv.
    Cmd: spec.argv,
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    User: context.user,
    WorkingDir: spec.workDir,
    AttachStdin: stdin,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: stdin,
    StdinOnce: stdin,
    Tty: false,
    Labels: {
      [LABELS.owner]: context.ownerId,
      [LABELS.runner]: context.runnerId,
      [LABELS.key]: task.key,
      [LABELS.task]: spec.taskId,
      [LABELS.attempt]: String(spec.attempt),
      [LABELS.run]: spec.runId,
    },
    HostConfig: {
      Mounts: task.mounts.map(({ hostPath, taskPath, readOnly }) => ({
        Type: 'bind' as const,
        Source: hostPath,
        Target: taskPath,
        ReadOnly: readOnly,
      })),
      NetworkMode: spec.network ? (context.podman ? 'slirp4netns' : 'bridge') : 'none',
      ...(spec.network && context.extraHosts?.length ? { ExtraHosts: [...context.extraHosts] } : {}),
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Init: true,
      RestartPolicy: { Name: 'no' },
      ...limits(task, context.limits),
      ...(spec.shmBytes > 0 ? { ShmSize: spec.shmBytes } : {}),
      // Binary-safe, and whole: what a runner that died had not read is read again from here.
      ...(context.podman ? {} : { LogConfig: { Type: 'local', Config: { 'max-size': '1024t', 'max-file': '1', compress: 'false' } } }),
    },
  };
}

/** One for each attempt of each runner: a request to create it that was not answered cannot give two. */
export function containerName({ key }: Pick<RuntimeTask, 'key'>, { ownerId }: Pick<ContainerContext, 'ownerId'>): string {
  return `weft-${ownerId}-${key}`;
}

/** Engines take no less. */
const LEAST_MEMORY = 6 * 1024 ** 2;

/** Bytes that the container may use; 0: as many as there are. */
export function memoryLimitOf({ resources, reserved }: RuntimeTask['spec'], defaults: ContainerLimits | undefined): number {
  const undeclared = defaults?.memory === 'reserved' ? (reserved?.ramBytes ?? 0) : (defaults?.memory ?? 0);
  const memory = resources !== undefined && resources.ramBytes > 0 ? resources.ramBytes : undeclared;
  return memory > 0 ? Math.max(LEAST_MEMORY, Math.ceil(memory)) : 0;
}

function limits({ spec, devices }: RuntimeTask, defaults: ContainerLimits | undefined): Docker.HostConfig {
  const { resources } = spec;
  const limited: Docker.HostConfig = {};
  if (defaults !== undefined) limited.PidsLimit = defaults.pids;
  if (devices.length > 0) limited.DeviceRequests = [{ Driver: 'nvidia', DeviceIDs: [...devices], Capabilities: [['gpu']] }];
  const memory = memoryLimitOf(spec, defaults);
  if (memory > 0) limited.Memory = limited.MemorySwap = memory;
  if (resources === undefined) return limited;
  if (resources.cores > 0) limited.NanoCpus = Math.round(resources.cores * 1e9);
  // Of a scheduler that reserves none.
  if (resources.gpus > 0 && devices.length === 0)
    limited.DeviceRequests = [{ Driver: 'nvidia', Count: resources.gpus, Capabilities: [['gpu']] }];
  return limited;
}
