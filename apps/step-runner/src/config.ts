/** The runner's configuration from the environment, checked once at boot. Variables: README. */
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { type TlsFiles, tlsFilesOf, tlsVariables, weftHome } from '@weft/platform';
import { CONTAINMENT_LEVELS, type ContainmentLevel, IMAGE_SOURCES, type ImageSource } from '@weft/runtimes';
import {
  fileUriToPath,
  isFileUri,
  pathToFileUri,
  sandboxRootOf,
  type StorageOptions,
  storageOptionsOf,
  storageVariables,
} from '@weft/storage';

const RUNTIME_NAMES = ['process', 'docker'] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];

const absolute = z.string().refine(isAbsolute, 'must be an absolute path');
const runtimeList = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(RUNTIME_NAMES)).min(1));
const hostList = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(z.array(z.string().regex(/^[A-Za-z0-9.-]+:(?:[0-9a-fA-F.:]+|host-gateway)$/, 'must be host:ip, comma-separated')).min(1));

/** Between commas; what is empty is none. */
const names = z.string().transform((text) => text.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()])));

const imageSources = names.pipe(z.array(z.enum(IMAGE_SOURCES)));

const registryList = names.pipe(z.array(z.string().regex(/^[A-Za-z0-9.[\]:-]+$/, 'must be host or host:port, comma-separated')).min(1));

const containmentList = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(CONTAINMENT_LEVELS)).min(1));

const positiveNumber = z.coerce.number().positive();
const mebibytes = z.coerce
  .number()
  .int()
  .positive()
  .transform((mib) => mib * 1024 ** 2);
const deviceList = names.refine((ids) => new Set(ids).size === ids.length, 'names a GPU twice');
const labelList = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(z.array(z.string().regex(/^[A-Za-z0-9._/-]+=[^=]*$/, 'must be key=value, comma-separated')))
  .transform((entries) => Object.fromEntries(entries.map((entry) => entry.split('=') as [string, string])));

const environment = z.object({
  ...storageVariables,
  WEFT_HOME: absolute.optional(),
  WEFT_RUNNER_LISTEN: z.string().min(1).optional(),
  WEFT_RUNNER_ADVERTISE: z.string().min(1).optional(),
  WEFT_RUNNER_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/, 'must be [A-Za-z0-9._-]+')
    .optional(),
  WEFT_RUNNER_POOL: z.string().min(1).default('default'),
  WEFT_RUNNER_CORES: positiveNumber.optional(),
  WEFT_RUNNER_RAM_MIB: mebibytes.optional(),
  WEFT_RUNNER_DISK_MIB: mebibytes.optional(),
  WEFT_DISK_RESERVE_MIB: z.coerce.number().nonnegative().optional(),
  WEFT_DISK_WAIT_S: z.coerce.number().nonnegative().default(600),
  WEFT_RUNNER_GPUS: deviceList.optional(),
  WEFT_RUNNER_LABELS: labelList.optional(),
  WEFT_PULL_STALL_S: positiveNumber.optional(),
  WEFT_ENGINE_SILENCE_S: positiveNumber.optional(),
  WEFT_ENGINE_WAIT_S: z.coerce.number().nonnegative().optional(),
  WEFT_IMAGE_SOURCES: imageSources.optional(),
  WEFT_REGISTRIES: registryList.optional(),
  WEFT_TASK_PIDS: z.coerce.number().int().positive().optional(),
  WEFT_TASK_MEMORY: z.enum(['reserved', 'runner']).optional(),
  WEFT_RUNTIMES: runtimeList.optional(),
  WEFT_PROCESS_CONTAINMENT: containmentList.optional(),
  WEFT_DOCKER_EXTRA_HOSTS: hostList.optional(),
  WEFT_SCHEDULER_ADDRESS: z.string().min(1).optional(),
  WEFT_SANDBOX_ROOT: absolute.optional(),
  WEFT_DATA_URI: z
    .string()
    .regex(/^(file|s3):/, 'must be a file: or s3: URI')
    .endsWith('/', "must end in '/'")
    .optional(),
  WEFT_CACHE_DIR: absolute.optional(),
  WEFT_CACHE_MIB: z.coerce.number().int().nonnegative().optional(),
  WEFT_TASK_LOG_MIB: z.coerce.number().int().nonnegative().optional(),
  WEFT_RUNNER_METRICS_LISTEN: z.string().min(1).optional(),
  WEFT_PUBLISH_FSYNC: z.enum(['0', '1']).default('0'),
  WEFT_SERVICE_SECRET: z.string().min(1).optional(),
  ...tlsVariables,
  WEFT_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** What the operator gives to tasks, in place of what the host has. */
export interface CapacityOverrides {
  cores?: number;
  ramBytes?: number;
  diskBytes?: number;
  /** Ids as `nvidia-smi -L` gives them, or indices. */
  devices?: readonly string[];
}

export interface StepRunnerConfig {
  listen: string;
  /** Where others reach it, if not where it listens. */
  advertise?: string;
  runnerId?: string;
  pool: string;
  capacity?: CapacityOverrides;
  /** What is kept free of each disk that the stack writes to; absent: a tenth, at most 256 MiB. 0: nothing. */
  diskReserveBytes?: number;
  /** How long a task waits for that much room, milliseconds; absent: 10 minutes. */
  diskWaitMs?: number;
  /** The stack's own directory, whose disk is not to get full either. */
  home?: string;
  /** Besides those of the host. */
  labels?: Readonly<Record<string, string>>;
  /** A pull without progress for so long is given up, milliseconds. */
  pullStallMs?: number;
  /** How long a Docker engine that went away is waited for, milliseconds. */
  engineWaitMs?: number;
  /** In so many milliseconds it has to answer. */
  engineSilenceMs?: number;
  /** How images that are not there may be had; absent: in every way. */
  imageSources?: readonly ImageSource[];
  /** Processes and threads of a container; absent: 4096. */
  taskPids?: number;
  /** Memory of a container whose document states none: what was reserved for it, which is the default, or all that the runner gives. */
  taskMemory?: 'reserved' | 'runner';
  /** From which registries images may be pulled; absent: from those at public addresses, and where `storage.http` says so from all. */
  registries?: readonly string[];
  runtimes: readonly RuntimeName[];
  /** Means of containment that processes may have; absent: the strongest that the machine allows. */
  containment?: readonly ContainmentLevel[];
  /** `host:ip` that containers with network know besides what DNS says. */
  dockerExtraHosts?: readonly string[];
  /** Absent: the runner does not register (a static registry names it). */
  schedulerAddress?: string;
  sandboxRoot: string;
  /** Below which file: inputs may lie; absent: anywhere. */
  allowedRoots?: readonly string[];
  /** Where published results go, if on this host; readable and writable also where `allowedRoots` does not name it. */
  dataDirectory?: string;
  /** How s3: and http: URIs are reached. */
  storage?: Pick<StorageOptions, 's3' | 'http' | 'own'>;
  /** Of inputs from other hosts; default: below the sandbox root. One runner each. */
  cacheDirectory?: string;
  cacheBytes?: number;
  /** Of the whole log of one stream of an attempt; 0: none is kept. */
  taskLogBytes?: number;
  /** `host:port` or `unix:/path` for Prometheus; absent: not served. */
  metricsListen?: string;
  publishFsync: boolean;
  /** Milliseconds after which an attempt without a follower is told to the scheduler; absent: 30 s. */
  unattendedMs?: number;
  secret?: string;
  /** Mutual TLS with the other services. */
  tls?: TlsFiles;
  logLevel: string;
}

export const configSchema: z.ZodType<StepRunnerConfig> = environment.transform((env, context) => {
  const home = env.WEFT_HOME ?? weftHome();
  const dataUri = env.WEFT_DATA_URI ?? `${pathToFileUri(join(home, 'data'))}/`;
  const { s3, http, own } = storageOptionsOf(env, dataUri, home);
  const dataDirectory = isFileUri(dataUri) ? fileUriToPath(dataUri) : undefined;
  return {
    listen: env.WEFT_RUNNER_LISTEN ?? `unix:${join(home, 'run', 'step-runner.sock')}`,
    advertise: env.WEFT_RUNNER_ADVERTISE,
    runnerId: env.WEFT_RUNNER_ID,
    pool: env.WEFT_RUNNER_POOL,
    capacity: {
      cores: env.WEFT_RUNNER_CORES,
      ramBytes: env.WEFT_RUNNER_RAM_MIB,
      diskBytes: env.WEFT_RUNNER_DISK_MIB,
      devices: env.WEFT_RUNNER_GPUS,
    },
    diskReserveBytes: env.WEFT_DISK_RESERVE_MIB === undefined ? undefined : env.WEFT_DISK_RESERVE_MIB * 1024 ** 2,
    diskWaitMs: env.WEFT_DISK_WAIT_S * 1000,
    home,
    labels: env.WEFT_RUNNER_LABELS,
    pullStallMs: env.WEFT_PULL_STALL_S === undefined ? undefined : env.WEFT_PULL_STALL_S * 1000,
    engineWaitMs: env.WEFT_ENGINE_WAIT_S === undefined ? undefined : env.WEFT_ENGINE_WAIT_S * 1000,
    engineSilenceMs: env.WEFT_ENGINE_SILENCE_S === undefined ? undefined : env.WEFT_ENGINE_SILENCE_S * 1000,
    imageSources: env.WEFT_IMAGE_SOURCES,
    registries: env.WEFT_REGISTRIES,
    taskPids: env.WEFT_TASK_PIDS,
    taskMemory: env.WEFT_TASK_MEMORY,
    runtimes: env.WEFT_RUNTIMES ?? RUNTIME_NAMES,
    containment: env.WEFT_PROCESS_CONTAINMENT,
    dockerExtraHosts: env.WEFT_DOCKER_EXTRA_HOSTS,
    schedulerAddress: env.WEFT_SCHEDULER_ADDRESS,
    sandboxRoot: env.WEFT_SANDBOX_ROOT ?? sandboxRootOf(resolve(home), dataDirectory),
    allowedRoots: env.WEFT_ALLOWED_ROOTS,
    dataDirectory,
    storage: { s3, http, own },
    cacheDirectory: env.WEFT_CACHE_DIR ?? (env.WEFT_SANDBOX_ROOT === undefined ? join(home, 'sandboxes', '.cache') : undefined),
    cacheBytes: env.WEFT_CACHE_MIB === undefined ? undefined : env.WEFT_CACHE_MIB * 1024 ** 2,
    taskLogBytes: env.WEFT_TASK_LOG_MIB === undefined ? undefined : env.WEFT_TASK_LOG_MIB * 1024 ** 2,
    metricsListen: env.WEFT_RUNNER_METRICS_LISTEN,
    publishFsync: env.WEFT_PUBLISH_FSYNC === '1',
    secret: env.WEFT_SERVICE_SECRET,
    tls: tlsFilesOf(env, context),
    logLevel: env.WEFT_LOG_LEVEL,
  };
});
