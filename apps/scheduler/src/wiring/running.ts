/** What sees runs through: their owner and actors, the release of their tasks, and what becomes of them afterwards. */
import { hostname } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { followFile, type Logger } from '@weft/platform';
import { completeRunOutputs } from '@weft/tasks';
import { ulid } from 'ulid';
import { systemClock } from '../kernel/clock.js';
import type { SchedulerConfig } from './config.js';
import { type Limits, loadLimits } from '../admission/limits.js';
import { Neighbours } from '../admission/peers/neighbours.js';
import { createRedisDemandChannel } from '../admission/peers/redis-demand-channel.adapter.js';
import { createRedisProjectSlots } from '../admission/slots/redis-project-slots.adapter.js';
import { startableTasks } from '../admission/release-window.js';
import { SlotKeeper } from '../admission/slots/slot-keeper.js';
import { TaskReleaser } from '../admission/task-releaser.js';
import { createRetention } from '../retention/create-retention.js';
import { CommandRunner } from '../commands/command-runner.js';
import { PartitionOwner } from '../runs/partition-owner.js';
import { RunMemory } from '../runs/memory/run-memory.js';
import { TaskStopper } from '../jobs/task-stopper.js';
import type { Dispatching } from './dispatching.js';
import type { Resources } from './resources.js';

/** Of the heap, for what active runs hold, and as much for those that are read; the rest of the scheduler needs some, too. */
const HEAP_SHARE = 0.35;

export type Running = ReturnType<typeof createRunning>;

export function createRunning(config: SchedulerConfig, resources: Resources, dispatching: Dispatching) {
  const { logger, connection, files, archive, live, store, evaluator, plans, tallies, reach } = resources;
  const limits = loadLimits(config.limits);
  const slots = createRedisProjectSlots({
    redis: connection,
    onError: (error) => logger.warn({ err: error }, 'the slots of projects, or their Redis'),
  });
  const name = `${hostname()}-${ulid()}`;
  const demands = createRedisDemandChannel({
    redis: connection,
    onError: (error) => logger.warn({ err: error }, 'what waits at other replicas, or their Redis'),
  });
  let followed: { close(): void } | undefined;
  const weightOf = (project: string): number => limits.of(project).weight;
  const neighbours = new Neighbours({ channel: demands, name, weightOf, logger, clock: systemClock });
  const releaser = createReleaser(config, resources, dispatching, { limits, slots, neighbours });
  const retention = createRetention({
    ...{ live, store, archive, storage: files, dataUri: config.dataUri, retentionMs: config.retentionMs, clock: systemClock, logger },
    plan: (hash) => plans.get(hash),
    leases: () => owner.leases(),
    cache: dispatching.reuse?.folders,
  });
  const runMemory = config.runMemoryBytes ?? Math.floor(getHeapStatistics().heap_size_limit * HEAP_SHARE);
  // Whoever reads a run that has ended has its state, too; that is not to depend on what goes on meanwhile.
  const [memory, readers] = [new RunMemory(runMemory), new RunMemory(runMemory)];
  const owner: PartitionOwner = new PartitionOwner({
    store,
    executor: tallies.following(retention.following(new CommandRunner({ releaser, evaluator, reach, logger }))),
    onTaken: () => retention.partitionTaken(),
    completeOutputs: (outputs, run) =>
      completeRunOutputs(outputs, { files: reach.filesOf(run), checksum: (uri) => resources.checksum(uri, run) }),
    onFoundEnded: (finishedAtMs) => retention.foundEnded(finishedAtMs),
    logger,
    owner: name,
    leaseTtlMs: config.leaseTtlMs,
    plans,
    memory,
  });
  return {
    ...{ limits, releaser, retention, owner, memory, readers },
    start: async (): Promise<void> => {
      await neighbours.start((pool) => releaser.termsChanged(pool));
      if (limits.limitTasks) await releaser.start();
      followed = followLimits(config.limits.file, { limits, releaser, logger });
      await owner.start();
      await retention.start();
    },
    /** After the owner: its actors give slots back. */
    closeRelease: async (): Promise<void> => {
      followed?.close();
      await slots.close();
      await neighbours.close();
      await demands.close();
    },
  };
}

/** The file of limits counts as it is now, without a restart. */
function followLimits(
  file: string | undefined,
  of: { limits: Limits; releaser: TaskReleaser; logger: Logger },
): { close(): void } | undefined {
  const { limits, releaser, logger } = of;
  if (file === undefined) return undefined;
  let watching = limits.limitTasks;
  const read = (): boolean => {
    if (!limits.reload()) return false;
    if (limits.limitTasks && !watching) {
      watching = true;
      releaser.start().catch((error: unknown) => logger.error({ err: error }, 'free slots of projects are not heard of'));
    }
    releaser.limitsChanged();
    return true;
  };
  return followFile(file, read, logger);
}

interface Admission {
  limits: Limits;
  slots: ReturnType<typeof createRedisProjectSlots>;
  neighbours: Neighbours;
}

function createReleaser(
  config: SchedulerConfig,
  resources: Resources,
  dispatching: Dispatching,
  { limits, slots, neighbours }: Admission,
): TaskReleaser {
  const { logger, queue, store } = resources;
  const { pool, dispatcher } = dispatching;
  const limitOf = (project: string): number => limits.of(project).maxTasks;
  return new TaskReleaser({
    queue,
    neighbours,
    slots: new SlotKeeper({ slots, limitOf, logger, clock: systemClock }),
    stopper: new TaskStopper({ queue, canceller: dispatcher, cancels: store.cancels, logger, clock: systemClock }),
    startable: (name) => startableTasks(pool.coresOf(name), config.dispatchConcurrency),
    terms: (project) => ({ weight: limits.of(project).weight, cap: limitOf(project) }),
    logger,
    clock: systemClock,
  });
}
