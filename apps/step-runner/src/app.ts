/**
 * Wires the step-runner: runtimes, attempt table, gRPC service, registration.
 *
 * Invariant: what an earlier life left is taken up before the first call is answered and before anybody hears of this runner.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { createLogger, createServiceTls, serveMetrics, startGrpcServer } from '@weft/platform';
import { type ContainerLimits, DockerRuntime, ProcessRuntime, type TaskRuntime } from '@weft/runtimes';
import { createStorage, makeSandboxRoot, removeAbandoned } from '@weft/storage';
import { Admission } from './admission/admission.js';
import { AttemptTable } from './attempts/attempt-table.js';
import type { StepRunnerConfig } from './config.js';
import { DiskGuard } from './disk/disk-guard.js';
import { executorService } from './executor.service.js';
import { describeRuntimes, freeDiskBytes, hostCapacity, hostLabels } from './admission/host.js';
import { InputCache } from './inputs/input-cache.js';
import { RunnerFiles } from './inputs/runner-files.js';
import { LogKeeper } from './logs/log-keeper.js';
import { metricsText, TransferCounters } from './metrics.js';
import { Registrar } from './registration/registrar.js';
import { registryCheck } from './registration/registry-rules.js';
import { ATTEMPT_SEPARATOR } from './sandbox/sandbox-layout.js';
import { sandboxRootId } from './sandbox/sandbox-root-id.js';

const VERSION = '0.1.0';
/** Streams of tasks that ran to their end are written out; those of containers that run on are cut. */
const STREAM_GRACE_MS = 1000;
/** A dispatcher that lost its stream is back sooner; attempts that nobody follows for longer are told to the scheduler. */
const UNATTENDED_MS = 30_000;
const UNATTENDED_LIMIT = 100;

/** Processes and threads of one container: more than tools have, less than a host. */
const TASK_PIDS = 4096;

/** Of remote inputs, unless the operator says otherwise. */
const CACHE_BYTES = 20 * 1024 ** 3;
/** For room on a disk. */
const DISK_WAIT_MS = 600_000;
/** Of the log of one stream of one attempt. */
const TASK_LOG_BYTES = 100 * 1024 ** 2;

export interface StepRunner {
  /** gRPC target. */
  address: string;
  runnerId: string;
  sandboxRoot: string;
  close(): Promise<void>;
}

export async function startStepRunner(config: StepRunnerConfig): Promise<StepRunner> {
  const log = createLogger('step-runner', config.logLevel);
  const tls = createServiceTls(config.tls, log);
  makeSandboxRoot(config.sandboxRoot);
  if (config.dataDirectory !== undefined) mkdirSync(config.dataDirectory, { recursive: true });
  const sandboxRoot = realpathSync(config.sandboxRoot);
  void removeAbandoned(tmpdir());
  const ownerId = sandboxRootId(sandboxRoot);
  const runnerId = config.runnerId ?? ownerId;
  const counters = new TransferCounters();
  const storage = runnerFiles(config, sandboxRoot, counters);
  const onProblem = (text: string, error: unknown): void => log.error({ err: error }, text);
  const host = await hostCapacity(config.capacity);
  const limits = { pids: config.taskPids ?? TASK_PIDS, memory: config.taskMemory === 'runner' ? host.ramBytes : ('reserved' as const) };
  const runtimes = createRuntimes(config, { runnerId, ownerId, sandboxRoot, limits }, storage, onProblem);
  const diskBytes = config.capacity?.diskBytes;
  const disk = diskBytes === undefined ? { freeBytes: () => freeDiskBytes(sandboxRoot) } : { totalBytes: diskBytes };
  const admission = new Admission({ ...host, disk });
  const table = new AttemptTable({
    ...{ sandboxRoot, runtimes, storage, admission, onProblem },
    disk: new DiskGuard({
      sandboxRoot,
      others: [config.dataDirectory, config.cacheDirectory, config.home].filter((path) => path !== undefined),
      reserveBytes: config.diskReserveBytes,
      waitMs: config.diskWaitMs ?? DISK_WAIT_MS,
      tell: (text) => log.warn(text),
    }),
    logs: new LogKeeper(storage, config.taskLogBytes ?? TASK_LOG_BYTES),
  });
  const adopted = await table.adopt();
  if (Object.values(adopted).some((count) => count > 0)) log.info(adopted, 'took up what an earlier life left');

  const describe = async (): Promise<executor.DescribeResponse> => {
    const { infos, labels: means } = await describeRuntimes(runtimes);
    const { capacity, inUse, admitted, waiting } = admission.report();
    const labels = { ...hostLabels(), ...means, ...config.labels };
    const load = { inUse, tasksAdmitted: admitted, tasksWaiting: waiting };
    return {
      runnerId,
      version: VERSION,
      pool: config.pool,
      runtimes: infos,
      capacity,
      labels,
      sandboxRoot,
      attemptSeparator: ATTEMPT_SEPARATOR,
      ...load,
    };
  };
  const implementation = executorService({ table, storage, runtimes, describe, fsync: config.publishFsync, onProblem });
  const services = [{ definition: executor.ContainerExecutorService, implementation }];
  const server = await startGrpcServer({ listen: config.listen, services, secret: config.secret, tls });
  const { schedulerAddress, secret, metricsListen } = config;
  const text = (): string => metricsText(counters, storage.cache.report(), admission.report());
  const metrics = metricsListen === undefined ? undefined : await serveMetrics({ listen: metricsListen, secret, text });
  const address = config.advertise ?? server.address;
  const registrar =
    schedulerAddress === undefined
      ? undefined
      : new Registrar({
          ...{ schedulerAddress, secret, tls, address, runnerId, describe, log },
          unattended: () => table.unattended(config.unattendedMs ?? UNATTENDED_MS, UNATTENDED_LIMIT),
          release: ({ taskId, attempt }) => table.release(taskId, attempt),
        });
  return {
    address: server.address,
    runnerId,
    sandboxRoot,
    close: async () => {
      await registrar?.drain();
      // Tasks first: their watchers hear how they ended before the server goes.
      await table.close();
      await registrar?.close();
      await server.close(STREAM_GRACE_MS);
      await metrics?.close();
      await storage.storage.close();
    },
  };
}

function runnerFiles(config: StepRunnerConfig, sandboxRoot: string, counters: TransferCounters): RunnerFiles {
  const { allowedRoots: roots, dataDirectory } = config;
  const allowedRoots = roots && (dataDirectory === undefined ? roots : [...roots, dataDirectory]);
  const storage = createStorage({ ...config.storage, allowedRoots, onTransfer: counters.onTransfer });
  const directory = config.cacheDirectory ?? join(sandboxRoot, '.cache');
  const cache = new InputCache({ directory, limitBytes: config.cacheBytes ?? CACHE_BYTES, storage });
  return new RunnerFiles(storage, cache, dataDirectory === undefined ? undefined : realpathSync(dataDirectory));
}

function createRuntimes(
  config: StepRunnerConfig,
  { sandboxRoot, ...own }: { runnerId: string; ownerId: string; sandboxRoot: string; limits: ContainerLimits },
  files: RunnerFiles,
  onProblem: (text: string, error: unknown) => void,
): TaskRuntime[] {
  const makers: Record<StepRunnerConfig['runtimes'][number], () => TaskRuntime> = {
    process: () => new ProcessRuntime({ directory: sandboxRoot, containment: config.containment }),
    docker: () =>
      new DockerRuntime({
        ...own,
        open: (uri) => files.storage.open(uri),
        onProblem,
        extraHosts: config.dockerExtraHosts,
        pullStallMs: config.pullStallMs,
        imageSources: config.imageSources,
        registries: { check: registryCheck({ allowed: config.registries, allowPrivate: config.storage?.http?.allowPrivate ?? false }) },
        engineWaitMs: config.engineWaitMs,
        engineSilenceMs: config.engineSilenceMs,
      }),
  };
  return config.runtimes.map((name) => makers[name]());
}
