/**
 * The scheduler, put together: intake and queries (gRPC), partition owner with its run actors, command runner, dispatcher.
 * Plain composition instead of a framework: a scheduler has one edge (gRPC), and a run's start waits for its start.
 */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { registry as registryPb, scheduler as schedulerPb } from '@weft/contracts';
import { createEvaluator } from '@weft/expressions';
import { createLogger, redisConnection, startGrpcServer } from '@weft/platform';
import { createBullTaskQueue } from '@weft/queue';
import { createRedisRunnerRegistry } from '@weft/registry';
import { createRedisRunStore } from '@weft/run-store';
import { LocalStorage, type StorageReader } from '@weft/storage';
import { completeRunOutputs, createTaskBuilder } from '@weft/tasks';
import { ulid } from 'ulid';
import type { SchedulerConfig } from './config.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { PlanCache } from './dispatch/plan-cache.js';
import { RunnerClients } from './dispatch/runner-clients.js';
import { RunnerPool } from './dispatch/runner-pool.js';
import { TaskLogBuffer } from './dispatch/task-log-buffer.js';
import { registryService } from './grpc/registry.service.js';
import { schedulerService } from './grpc/scheduler.service.js';
import { CommandRunner } from './runs/command-runner.js';
import { PartitionOwner } from './runs/partition-owner.js';
import { ReportRouter } from './runs/reports.js';
import { RunQueries } from './runs/run-queries.js';
import { Submissions } from './runs/submission.js';

export interface RunningScheduler {
  address: string;
  close(): Promise<void>;
}

export async function startScheduler(config: SchedulerConfig): Promise<RunningScheduler> {
  const logger = createLogger('scheduler', config.logLevel);
  const connection = redisConnection(config.redisUrl);
  const store = createRedisRunStore({ redis: connection });
  const queue = createBullTaskQueue({ connection });
  const registry = createRedisRunnerRegistry({ redis: connection });
  const files = new LocalStorage({ allowedRoots: config.allowedRoots });
  const evaluator = createEvaluator();
  const plans = new PlanCache((hash) => store.log.getPlan(hash));
  const pool = new RunnerPool();
  const clients = new RunnerClients(config.secret);
  const logs = new TaskLogBuffer(store.taskLogs, logger);
  const reporter = new ReportRouter((): PartitionOwner => owner, store.intake);
  const builder = createTaskBuilder({ evaluator, files });
  const dispatcher = new Dispatcher({ plans, builder, pool, clients, reporter, logs, logger, dataUri: config.dataUri });
  const executor = new CommandRunner({ queue, canceller: dispatcher, evaluator, files, logger });
  const owner = new PartitionOwner({
    store,
    executor,
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
    maxAttempts: config.maxAttempts,
  });
  const queries = new RunQueries({ store, plans, owner, storage: files, dataUri: config.dataUri });

  const refresh = (): void =>
    void registry.list().then(
      (runners) => pool.update(runners),
      (error: unknown) => logger.error({ err: error }, 'runners not listed'),
    );
  const unwatch = await registry.watch(refresh);
  // A registration that lapses tells nobody.
  const lapses = setInterval(refresh, config.runnerTtlMs / 3).unref();
  refresh();
  await owner.start();
  await Promise.all(
    config.pools.map((name) => queue.consume(name, config.dispatchConcurrency, (job, signal) => dispatcher.handle(job, signal))),
  );
  const server = await startGrpcServer({
    listen: config.listen,
    secret: config.secret,
    services: [
      { definition: schedulerPb.SchedulerService, implementation: schedulerService(submissions, queries) },
      { definition: registryPb.RunnerRegistryService, implementation: registryService(registry, config.runnerTtlMs) },
    ],
  });
  return {
    address: server.address,
    close: async () => {
      await server.close(1_000);
      await queue.close();
      await owner.close();
      clearInterval(lapses);
      await unwatch();
      clients.close();
      await evaluator.close();
      await registry.close();
      await store.close();
    },
  };
}

/** As CWL writes checksums: "sha1$" and hex. */
async function checksumOf(files: StorageReader, uri: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(await files.open(uri), hash);
  return `sha1$${hash.digest('hex')}`;
}
