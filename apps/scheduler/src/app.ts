/**
 * The scheduler, put together: intake and queries (gRPC), partition owner with its run actors, command runner, dispatcher.
 * Plain composition instead of a framework: a scheduler has one edge (gRPC), and a run's start waits for its start.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { registry as registryPb, scheduler as schedulerPb } from '@weft/contracts';
import { createEvaluator } from '@weft/expressions';
import { createLogger, createServiceTls, redisConnection, startGrpcServer } from '@weft/platform';
import { createBullTaskQueue } from '@weft/queue';
import { createRedisRunnerRegistry, createStaticRunnerRegistry, withStaticRunners } from '@weft/registry';
import { createRedisRunStore, withArchive } from '@weft/run-store';
import { createStorage, type StorageReader } from '@weft/storage';
import { completeRunOutputs, createTaskBuilder } from '@weft/tasks';
import { Redis } from 'ioredis';
import { ulid } from 'ulid';
import { parse as parseYaml } from 'yaml';
import { systemClock } from './clock.js';
import type { SchedulerConfig } from './config.js';
import { createReuse } from './dispatch/create-reuse.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { PlanCache } from './dispatch/plan-cache.js';
import { RunnerClients } from './dispatch/runner-clients.js';
import { RunnerPool } from './dispatch/runner-pool.js';
import { RunnerWatch } from './dispatch/runner-watch.js';
import { TaskExecution } from './dispatch/task-execution.js';
import { TaskLogBuffer } from './dispatch/task-log-buffer.js';
import { registryService } from './grpc/registry.service.js';
import { schedulerService } from './grpc/scheduler.service.js';
import { Backlog } from './release/backlog.js';
import { loadLimits } from './release/limits.js';
import { createArchive, createRetention } from './retention/create-retention.js';
import { UnwantedAttempts } from './retention/unwanted-attempts.js';
import { createRedisProjectSlots } from './release/redis-project-slots.adapter.js';
import { SlotKeeper } from './release/slot-keeper.js';
import { startableTasks } from './release/release-window.js';
import { TaskReleaser } from './release/task-releaser.js';
import { LoggedAttempts } from './runs/attempt-locator.js';
import { CommandRunner } from './runs/command-runner.js';
import { PartitionOwner } from './runs/partition-owner.js';
import { ReportRouter } from './runs/reports.js';
import { RunQueries } from './runs/run-queries.js';
import { TaskStopper } from './runs/task-stopper.js';
import { Submissions } from './runs/submission.js';

/** A job whose dispatcher died goes to another at most this and one look later. */
const JOB_LOCK_MS = 3_000;
const STALLED_JOBS_MS = 1_000;

export interface RunningScheduler {
  address: string;
  close(): Promise<void>;
}

export async function startScheduler(config: SchedulerConfig): Promise<RunningScheduler> {
  const logger = createLogger('scheduler', config.logLevel);
  const connection = redisConnection(config.redisUrl, config.redisTls);
  const tls = createServiceTls(config.tls, logger);
  const live = createRedisRunStore({ redis: connection, isArchived: async (runId) => (await archive.find(runId)) !== undefined });
  const queue = createBullTaskQueue({ connection, lockMs: JOB_LOCK_MS, stalledCheckMs: STALLED_JOBS_MS });
  const registered = createRedisRunnerRegistry({ redis: connection });
  const registry = withStaticRunners(registered, createStaticRunnerRegistry(await serviceRegistry(config.serviceRegistryFile)));
  const files = createStorage(config.storage);
  const archive = createArchive(files, config.dataUri);
  const store = withArchive(live, archive);
  const evaluator = createEvaluator({ timeoutMs: config.expressionTimeoutMs });
  const plans = new PlanCache((hash) => store.log.getPlan(hash));
  const pool = new RunnerPool({ returnGraceMs: config.runnerGraceMs });
  const clients = new RunnerClients(config.secret, tls);
  const logs = new TaskLogBuffer(store.taskLogs, logger);
  const reporter = new ReportRouter((): PartitionOwner => owner, store.intake);
  const builder = createTaskBuilder({ evaluator, files });
  const reuse =
    config.callCache &&
    createReuse({
      ...config.callCache,
      redis: connection,
      storage: files,
      pool,
      client: (runnerAddress) => clients.of(runnerAddress),
      logger,
      clock: systemClock,
      dataUri: config.dataUri,
    });
  const dispatcher = new Dispatcher({
    locator: new LoggedAttempts((): PartitionOwner => owner, store.log),
    plans,
    builder,
    pool,
    execution: (runnerAddress, spec) => new TaskExecution(clients.of(runnerAddress), spec, logger, config.runnerGraceMs),
    reporter,
    logs,
    logger,
    dataUri: config.dataUri,
    ...(reuse && { reuse: (job) => reuse.of(job) }),
  });
  const limits = loadLimits(config.limits);
  const limitOf = (project: string): number => limits.of(project).maxTasks;
  const slots = createRedisProjectSlots({
    connect: () => new Redis({ ...connection, lazyConnect: true, maxRetriesPerRequest: null }),
    onError: (error) => logger.warn({ err: error }, 'the slots of projects cannot be reached'),
  });
  const releaser = new TaskReleaser({
    queue,
    slots: new SlotKeeper({ slots, limitOf, logger, clock: systemClock }),
    stopper: new TaskStopper({ queue, canceller: dispatcher, cancels: store.cancels, logger, clock: systemClock }),
    startable: (name) => startableTasks(pool.coresOf(name), config.dispatchConcurrency),
    terms: (project) => ({ weight: limits.of(project).weight, cap: limitOf(project) }),
    logger,
    clock: systemClock,
  });
  const executor = new CommandRunner({ releaser, evaluator, files, logger });
  const retention = createRetention({
    ...{ live, store, archive, storage: files, dataUri: config.dataUri, retentionMs: config.retentionMs, clock: systemClock, logger },
    plan: (hash) => plans.get(hash),
    leases: () => owner.leases(),
    cache: reuse?.folders,
  });
  const owner = new PartitionOwner({
    store,
    executor: retention.following(executor),
    onTaken: () => retention.partitionTaken(),
    completeOutputs: (outputs) => completeRunOutputs(outputs, { files, checksum: (uri) => checksumOf(files, uri) }),
    logger,
    owner: `${hostname()}-${ulid()}`,
    leaseTtlMs: config.leaseTtlMs,
  });
  const submissions = new Submissions({
    intake: store.intake,
    files,
    evaluator,
    pools: () => pool.pools(),
    pin: (inputs) => retention.pin(inputs),
    maxAttempts: config.maxAttempts,
    backlog: new Backlog({ limits, count: (project) => store.intake.activeRuns(project), nowMs: () => Date.now() }),
  });
  const queries = new RunQueries({
    store,
    plans,
    owner,
    storage: files,
    dataUri: config.dataUri,
    beforeRetry: (header) => retention.beforeRetry(header),
  });

  const runners = new RunnerWatch({
    registry,
    pool,
    consume: (name) => queue.consume(name, config.dispatchConcurrency, (job, signal, delivery) => dispatcher.handle(job, signal, delivery)),
    ttlMs: config.runnerTtlMs,
    logger,
  });
  await store.cancels.subscribe((attempts) => attempts.forEach(({ taskId, attempt }) => dispatcher.cancel(taskId, attempt)));
  if (limits.limitTasks) await releaser.start();
  await owner.start();
  await retention.start();
  const unwanted = new UnwantedAttempts({ reader: store.reader, stateOf: (runId) => owner.actorOf(runId)?.state, logger });
  await runners.start(config.pools);
  const server = await startGrpcServer({
    listen: config.listen,
    secret: config.secret,
    tls,
    services: [
      { definition: schedulerPb.SchedulerService, implementation: schedulerService(submissions, queries) },
      {
        definition: registryPb.RunnerRegistryService,
        implementation: registryService(registry, config.runnerTtlMs, (runner, attempts) => unwanted.among(runner, attempts)),
      },
    ],
  });
  return {
    address: server.address,
    close: async () => {
      await server.close(1_000);
      await runners.close();
      await queue.close();
      await retention.stopMoving();
      await owner.close();
      await slots.close();
      await retention.close();
      await reuse?.close();
      clients.close();
      await evaluator.close();
      await registered.close();
      await store.close();
      await files.close();
    },
  };
}

/** As CWL writes checksums: "sha1$" and hex. */
async function checksumOf(files: StorageReader, uri: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(await files.open(uri), hash);
  return `sha1$${hash.digest('hex')}`;
}

/** The file's content, JSON or YAML; no runners where no file is named. */
async function serviceRegistry(path: string | undefined): Promise<unknown> {
  return path === undefined ? { service_registry: {} } : parseYaml(await readFile(path, 'utf8'));
}
