/** From a job of the queue to its answer: runners, earlier results, the dispatcher. */
import { createTaskBuilder } from '@weft/tasks';
import { systemClock } from '../kernel/clock.js';
import type { SchedulerConfig } from './config.js';
import { createReuse } from '../execution/reuse/create-reuse.js';
import { Dispatcher } from '../execution/dispatcher.js';
import { RunnerPool } from '../placement/runner-pool.js';
import { RunnerWatch } from '../placement/runner-watch.js';
import { TaskExecution } from '../execution/runner/task-execution.js';
import { TaskLogBuffer } from '../execution/log/task-log-buffer.js';
import { JobInputs } from '../jobs/job-inputs.js';
import { LoggedAttempts } from '../execution/attempt-locator.js';
import type { PartitionOwner } from '../runs/partition-owner.js';
import { ReportRouter } from '../execution/reports.js';
import type { Resources } from './resources.js';

export type Dispatching = ReturnType<typeof createDispatching>;

/** @param owner exists once the first job comes */
export function createDispatching(config: SchedulerConfig, resources: Resources, owner: () => PartitionOwner) {
  const { logger, connection, files, store, queue, registry, evaluator, plans, clients, tallies, reach, secrets } = resources;
  const { dataUri } = config;
  const pool = new RunnerPool({ returnGraceMs: config.runnerGraceMs });
  const client = clients.of.bind(clients);
  const reuse =
    config.callCache &&
    createReuse({
      ...{ ...config.callCache, redis: connection, storage: files, pool, client, logger, clock: systemClock, dataUri },
      onLookedUp: (hit) => tallies.lookedUp(hit),
    });
  const dispatcher = new Dispatcher({
    locator: new LoggedAttempts(owner, store.log, store.reader),
    inputs: new JobInputs(owner, store.reader, plans),
    plans,
    builder: (job) => createTaskBuilder({ evaluator, files: reach.filesOf(job) }),
    reach,
    pool,
    execution: (address, spec) => new TaskExecution(client(address), spec, logger, config.runnerGraceMs),
    secrets,
    reporter: new ReportRouter(owner, store.intake),
    logs: new TaskLogBuffer(store.taskLogs, logger),
    logger,
    clock: systemClock,
    dataUri,
    ...(reuse && { reuse: (job) => reuse.of(job) }),
  });
  const runners = new RunnerWatch({
    registry,
    pool,
    consume: (name) => queue.consume(name, config.dispatchConcurrency, (job, signal, delivery) => dispatcher.handle(job, signal, delivery)),
    ttlMs: config.runnerTtlMs,
    logger,
  });
  return { pool, reuse, dispatcher, runners };
}
