/**
 * One scheduler replica of the simulation: the real partition owner, run actors, command runner, report router, dispatcher, runner pool, call
 * cache, retention and queries, put together as the app does, over the messages of a virtual world.
 */
import { createLogger, type Logger } from '@weft/platform';
import type { TaskJob } from '@weft/queue';
import { type ArchivingRunStore, FileRunArchive, type RunArchive, type RunStore, withArchive } from '@weft/run-store';
import type { Storage } from '@weft/storage';
import { completeRunOutputs } from '@weft/tasks';
import {
  createFakeTaskQueue,
  type FakeArchiveFiles,
  type FakeResultData,
  type FakeRunStoreData,
  type FakeTaskQueue,
  type FakeTaskQueueData,
  inMessages,
  type NudgeFaults,
  remotePort,
  remoteRunStore,
  type VirtualProcess,
  type VirtualWorld,
} from '@weft/testing';
import { PassThrough } from 'node:stream';
import { Dispatcher } from '../../src/execution/dispatcher.js';
import { PlanCache } from '../../src/plans/plan-cache.js';
import { type Placement, type PlacementRequest, RunnerPool } from '../../src/placement/runner-pool.js';
import { TaskLogBuffer } from '../../src/execution/log/task-log-buffer.js';
import type { ProjectSlots } from '../../src/admission/slots/project-slots.js';
import { SlotKeeper } from '../../src/admission/slots/slot-keeper.js';
import { TaskReleaser } from '../../src/admission/task-releaser.js';
import { createRetention, type Retention } from '../../src/retention/create-retention.js';
import { JobInputs } from '../../src/jobs/job-inputs.js';
import { LoggedAttempts } from '../../src/execution/attempt-locator.js';
import { CommandRunner } from '../../src/commands/command-runner.js';
import { PartitionOwner } from '../../src/runs/partition-owner.js';
import { ReportRouter } from '../../src/execution/reports.js';
import { RunQueries } from '../../src/api/run-queries.js';
import { TaskStopper } from '../../src/jobs/task-stopper.js';
import { openReach } from '../open-reach.js';
import { SecretBox } from '../../src/secrets/secret-box.js';
import { createFakeProjectSlots, type FakeSlotsData } from '../fake-project-slots.js';
import type { Monitor } from './monitor.js';
import { SimulatedExecution } from './simulated-execution.js';
import { DATA_URI, type SimulatedFiles } from './simulated-files.js';
import { type SimulatedReuse, simulatedReuse } from './simulated-reuse.js';
import type { SimulatedRunner } from './simulated-runners.js';
import { contentOf, simulatedBuilder, simulatedEvaluator } from './tools.js';
import { RunMemory } from '../../src/runs/memory/run-memory.js';

export const POOL = 'default';
export const LEASE_TTL_MS = 9_000;
const silent = createLogger('simulation', 'silent');
/** Compression goes through threads, in no order that a seed decides. */
const UNPACKED = { pack: () => new PassThrough(), unpack: () => new PassThrough() };
const STORAGE = ['stat', 'readText', 'list', 'writeText', 'copyTree', 'moveTree', 'removeTree'] as const;

/** What all replicas share. */
export interface Surroundings {
  world: VirtualWorld;
  store: FakeRunStoreData;
  jobs: FakeTaskQueueData;
  files: SimulatedFiles;
  archive: FakeArchiveFiles;
  results: FakeResultData;
  runners: SimulatedRunner[];
  monitor: Monitor;
  nudges: NudgeFaults;
  /** Tasks that may be released and not begun; absent: a few, at random. */
  window?: number;
  slots: FakeSlotsData;
  /** Tasks of the one project of all runs in flight; absent: no limit. */
  projectLimit?: number;
  /** Whether results are used again, and how much of them is kept, bytes. */
  cache?: { maxBytes: number };
  /** After which finished runs go to the archive; absent: they stay. */
  retentionMs?: number;
}

/** @param remote what is read and written in messages */
export function archiveOver(files: FakeArchiveFiles, remote: (files: FakeArchiveFiles) => FakeArchiveFiles = (same) => same): RunArchive {
  return new FileRunArchive(remote(files), UNPACKED);
}

/** Sees to it that what drains is given nothing. */
class WatchedPool extends RunnerPool {
  private draining = new Set<string>();

  constructor(
    now: () => number,
    private readonly monitor: Monitor,
  ) {
    super({ now, returnGraceMs: 0 });
  }

  override update(runners: Parameters<RunnerPool['update']>[0]): void {
    this.draining = new Set(runners.filter(({ draining }) => draining).map(({ runnerId }) => runnerId));
    super.update(runners);
  }

  override async place(request: PlacementRequest): Promise<Placement> {
    const placement = await super.place(request);
    if (!request.attached && this.draining.has(placement.runner.runnerId))
      this.monitor.violate('a runner that drains is given nothing new', placement.runner.runnerId);
    return placement;
  }
}

/** Says nothing, but of losses to the monitor. */
function listeningLogger(monitor: Monitor): Logger {
  const error = ({ err, runId = '' }: { err?: { name?: string }; runId?: string }): void => {
    if (err?.name === 'LogDivergedError') monitor.lossTold(runId);
  };
  return Object.assign(Object.create(silent) as Logger, { error });
}

export class Replica {
  private readonly logger: Logger;
  readonly process: VirtualProcess;
  readonly pool: RunnerPool;
  readonly owner: PartitionOwner;
  readonly dispatcher: Dispatcher;
  readonly queries: RunQueries;
  readonly reuse: SimulatedReuse | undefined;
  /** With the archive: what clients of this replica read. */
  readonly store: ArchivingRunStore;
  private readonly queue: FakeTaskQueue;
  private readonly retention: Retention;
  private readonly plans: PlanCache;
  private startReleaser = (): Promise<void> => Promise.resolve();

  constructor(
    private readonly around: Surroundings,
    name: string,
  ) {
    const { world, monitor, jobs, cache, results } = around;
    this.process = world.spawn(name);
    this.logger = listeningLogger(monitor);
    this.pool = new WatchedPool(() => this.process.clock.now(), monitor);
    this.queue = createFakeTaskQueue(jobs);
    const live = remoteRunStore(world, this.process, around.store, {
      nudges: () => around.nudges,
      onLeases: (leases) => monitor.leased(leases),
      onAppend: (lease, runId, accepted) => monitor.appended(lease, runId, accepted),
    });
    const archive = archiveOver(around.archive, (files) => remotePort(this.process, 'archive', files, ['write', 'open', 'list', 'remove']));
    this.store = withArchive(live, archive);
    this.plans = new PlanCache((hash) => this.store.log.getPlan(hash));
    const storage: Storage = remotePort(this.process, 'storage', around.files, STORAGE);
    this.reuse = cache && simulatedReuse({ process: this.process, results, storage, pool: this.pool, logger: this.logger, ...cache });
    this.dispatcher = this.newDispatcher();
    this.retention = this.newRetention(live, archive, storage);
    this.owner = this.newOwner(storage, name);
    this.queries = new RunQueries({
      memory: new RunMemory(Infinity),
      readers: new RunMemory(Infinity),
      ...{ store: this.store, plans: this.plans, owner: this.owner, storage, dataUri: DATA_URI },
      beforeRetry: (header) => this.retention.beforeRetry(header),
    });
  }

  async start(): Promise<void> {
    this.refreshRunners();
    await this.store.cancels.subscribe((attempts) => attempts.forEach(({ taskId, attempt }) => this.dispatcher.cancel(taskId, attempt)));
    await this.startReleaser();
    await this.owner.start();
    if (this.around.retentionMs !== undefined) await this.retention.start();
    await this.queue.consume(POOL, this.around.world.orderly ? 4 : this.around.world.random.int(1, 3), (job, signal, delivery) => {
      return new Promise((resolve, reject) => {
        this.process.receive(() => {
          this.dispatcher.handle(job, signal, delivery).then(
            () => this.around.world.post(this.process, true, 'job done', resolve),
            (error: unknown) => this.around.world.post(this.process, true, 'job refused', () => reject(error as Error)),
          );
        }, `job ${job.taskId}.${job.attempt}`);
      });
    });
  }

  /** What the registry would tell: which runners there are. */
  refreshRunners(): void {
    this.process.receive(() => this.pool.update(this.around.runners.filter(({ away }) => !away).map(({ record }) => record)), 'runners');
  }

  /** SIGKILL. Its jobs go to others when their locks lapse. */
  crash(jobsLapse: (work: () => void) => void): void {
    this.process.crash();
    jobsLapse(() => this.queue.crash());
  }

  /** SIGTERM, in the order of the app. */
  async close(): Promise<void> {
    await this.queue.close();
    await this.retention.stopMoving();
    await this.owner.close();
    await this.retention.close();
    await this.reuse?.close();
  }

  private newDispatcher(): Dispatcher {
    const { runners } = this.around;
    const { store, reuse } = this;
    return new Dispatcher({
      locator: new LoggedAttempts(() => this.owner, store.log, store.reader),
      inputs: new JobInputs(() => this.owner, store.reader, this.plans),
      clock: this.process.clock,
      plans: this.plans,
      builder: () => simulatedBuilder,
      secrets: new SecretBox(Buffer.alloc(32)),
      reach: openReach(this.around.files),
      pool: this.pool,
      execution: (address, spec) => {
        const runner = runners.find(({ id }) => id === address);
        if (!runner) throw new Error(`no runner at ${address}`);
        return new SimulatedExecution(this.process, runner, spec);
      },
      reporter: new ReportRouter(() => this.owner, store.intake),
      logs: new TaskLogBuffer(store.taskLogs, this.logger),
      logger: this.logger,
      dataUri: DATA_URI,
      ...(reuse && { reuse: (job: TaskJob) => reuse.of(job) }),
    });
  }

  private newRetention(live: RunStore, archive: RunArchive, storage: Storage): Retention {
    return createRetention({
      ...{ live, store: this.store, archive, storage, logger: this.logger, dataUri: DATA_URI, clock: this.process.clock },
      retentionMs: this.around.retentionMs ?? Infinity,
      plan: (hash) => this.plans.get(hash),
      leases: () => this.owner.leases(),
      cache: this.reuse?.folders,
    });
  }

  /** Calls may be late or lost, like all; so may be what is told. */
  private slots(): ProjectSlots {
    const slots = createFakeProjectSlots(this.around.slots);
    return {
      ...remotePort(this.process, 'slots', slots, ['acquire', 'release', 'claim', 'end']),
      watch: (onFree) => slots.watch(inMessages(this.process, 'slots came free', onFree)),
      close: () => slots.close(),
    };
  }

  private newReleaser(): TaskReleaser {
    const { around, store, process, logger } = this;
    const { clock } = process;
    const adding = {
      ...this.queue,
      add: (jobs: TaskJob[]) => {
        around.monitor.jobsAdded(jobs, around.projectLimit !== undefined);
        return this.queue.add(jobs);
      },
    };
    const queue = remotePort(process, 'queue', adding, ['add', 'remove']);
    const window = around.window ?? around.world.random.int(1, 3);
    const limitOf = (): number => around.projectLimit ?? Infinity;
    return new TaskReleaser({
      ...{ queue, logger, clock },
      stopper: new TaskStopper({ queue, canceller: this.dispatcher, cancels: store.cancels, logger, clock }),
      startable: () => window,
      terms: () => ({ weight: 1, cap: limitOf() }),
      slots: new SlotKeeper({ slots: this.slots(), limitOf, logger, clock }),
    });
  }

  private newOwner(storage: Storage, name: string): PartitionOwner {
    const { around, store, process, plans, logger } = this;
    const { clock } = process;
    const releaser = this.newReleaser();
    this.startReleaser = () => releaser.start();
    const commands = new CommandRunner({ releaser, evaluator: simulatedEvaluator(process), reach: openReach(storage), logger, clock });
    return new PartitionOwner({
      ...{ store, plans, logger, clock, owner: name, leaseTtlMs: LEASE_TTL_MS, partitions: around.store.partitions.length },
      executor: this.retention.following(commands),
      onTaken: () => around.retentionMs !== undefined && this.retention.partitionTaken(),
      onFoundEnded: (finishedAtMs) => this.retention.foundEnded(finishedAtMs),
      completeOutputs: (outputs) =>
        completeRunOutputs(outputs, { files: storage, checksum: async (uri) => contentOf((await storage.stat(uri)).version) }),
    });
  }
}
