/**
 * The scheduler, put together: intake and queries (gRPC), partition owner with its run actors, command runner, dispatcher.
 * Plain composition instead of a framework: a scheduler has one edge (gRPC), and a run's start waits for its start.
 */
import { registry as registryPb, scheduler as schedulerPb } from '@weft/contracts';
import { type MetricsServer, serveMetrics, startGrpcServer } from '@weft/platform';
import type { SchedulerConfig } from './wiring/config.js';
import { registryService } from './api/registry.service.js';
import { schedulerService } from './api/scheduler.service.js';
import { schedulerMetrics } from './metrics/scheduler-metrics.js';
import { Backlog } from './intake/backlog.js';
import { UnwantedAttempts } from './retention/unwanted-attempts.js';
import type { PartitionOwner } from './runs/partition-owner.js';
import { RunRemoval } from './api/run-removal.js';
import { RunQueries } from './api/run-queries.js';
import { Submissions } from './intake/submission.js';
import { tidyTemporaries } from './wiring/tidy-temporaries.js';
import { createDispatching, type Dispatching } from './wiring/dispatching.js';
import { openResources, type Resources } from './wiring/resources.js';
import { createRunning, type Running } from './wiring/running.js';

export interface RunningScheduler {
  address: string;
  /** Absent: not served. */
  metricsAddress?: string;
  close(): Promise<void>;
}

export async function startScheduler(config: SchedulerConfig): Promise<RunningScheduler> {
  const resources = await openResources(config);
  const dispatching = createDispatching(config, resources, (): PartitionOwner => running.owner);
  const running = createRunning(config, resources, dispatching);
  const { dispatcher, runners, reuse } = dispatching;
  const { store, queue } = resources;
  await store.cancels.subscribe((attempts) => attempts.forEach(({ taskId, attempt }) => dispatcher.cancel(taskId, attempt)));
  const tidying = tidyTemporaries(resources.logger);
  await running.start();
  await runners.start(config.pools);
  const server = await serve(config, resources, dispatching, running);
  const metrics = await serveOwnMetrics(config, resources, dispatching, running);
  return {
    address: server.address,
    ...(metrics && { metricsAddress: metrics.address }),
    close: async () => {
      tidying.stop();
      await metrics?.close();
      await server.close(1_000);
      await runners.close();
      await queue.close();
      await running.retention.stopMoving();
      await running.owner.close();
      await running.closeRelease();
      await running.retention.close();
      await reuse?.close();
      await resources.close();
    },
  };
}

function serveOwnMetrics(
  { metricsListen, secret }: SchedulerConfig,
  { tallies, queue }: Resources,
  { pool }: Dispatching,
  { owner, releaser, retention, memory }: Running,
): Promise<MetricsServer | undefined> {
  if (metricsListen === undefined) return Promise.resolve(undefined);
  const { archivedRuns } = retention;
  const text = (): Promise<string> => schedulerMetrics({ tallies, queue, owner, releaser, memory, runners: pool, archivedRuns });
  return serveMetrics({ listen: metricsListen, secret, text });
}

function serve(config: SchedulerConfig, resources: Resources, { pool, reuse }: Dispatching, running: Running) {
  const { limits, memory, readers, owner, retention } = running;
  const { store, files, evaluator, plans, registry, tls, logger, loading, reach, secrets } = resources;
  const submissions = new Submissions({
    intake: store.intake,
    loading,
    reach,
    secrets,
    evaluator,
    pools: () => pool.pools(),
    pin: (inputs) => retention.pin(inputs),
    maxAttempts: config.maxAttempts,
    takesCaller: config.takesCaller,
    callCache: config.callCacheFor,
    plans,
    memory,
    isOwn: (runId) => owner.isOwn(runId),
    backlog: new Backlog({ limits, count: (project) => store.intake.activeRuns(project), nowMs: () => Date.now() }),
  });
  const queries = new RunQueries({
    store,
    plans,
    owner,
    memory,
    readers,
    storage: files,
    dataUri: config.dataUri,
    beforeRetry: (header) => retention.beforeRetry(header),
  });
  const removal = new RunRemoval({
    get: (runId) => queries.get(runId),
    reader: store.reader,
    folders: retention.folders,
    trimCallCache: reuse?.trim,
  });
  const unwanted = new UnwantedAttempts({ reader: store.reader, stateOf: (runId) => owner.actorOf(runId)?.state, logger });
  const registration = registryService(registry, config.runnerTtlMs, (runner, attempts) => unwanted.among(runner, attempts));
  return startGrpcServer({
    listen: config.listen,
    secret: config.secret,
    tls,
    ready: () => store.ping(),
    services: [
      { definition: schedulerPb.SchedulerService, implementation: schedulerService(submissions, queries, removal) },
      { definition: registryPb.RunnerRegistryService, implementation: registration },
    ],
  });
}
