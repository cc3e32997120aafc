/**
 * One scheduler replica of the simulation: the real partition owner, run actors, command runner, report router, dispatcher and runner pool,
 * put together as the app does, over the messages of a virtual world.
 */
import { createLogger } from '@weft/platform';
import type { TaskJob } from '@weft/queue';
import type { RunStore } from '@weft/run-store';
import {
  createFakeTaskQueue,
  type FakeRunStoreData,
  type FakeTaskQueue,
  type FakeTaskQueueData,
  type NudgeFaults,
  remoteRunStore,
  type VirtualProcess,
  type VirtualWorld,
} from '@weft/testing';
import { Dispatcher } from '../../src/dispatch/dispatcher.js';
import { PlanCache } from '../../src/dispatch/plan-cache.js';
import { RunnerPool } from '../../src/dispatch/runner-pool.js';
import { TaskLogBuffer } from '../../src/dispatch/task-log-buffer.js';
import type { ProjectSlots } from '../../src/release/project-slots.js';
import { SlotKeeper } from '../../src/release/slot-keeper.js';
import { TaskReleaser } from '../../src/release/task-releaser.js';
import { LoggedAttempts } from '../../src/runs/attempt-locator.js';
import { CommandRunner } from '../../src/runs/command-runner.js';
import { PartitionOwner } from '../../src/runs/partition-owner.js';
import { ReportRouter } from '../../src/runs/reports.js';
import { TaskStopper } from '../../src/runs/task-stopper.js';
import { createFakeProjectSlots, type FakeSlotsData } from '../fake-project-slots.js';
import type { Monitor } from './monitor.js';
import { simulatedBuilder, SimulatedExecution, type SimulatedRunner } from './simulated-runners.js';
import { simulatedEvaluator } from './workflows.js';

export const POOL = 'default';
export const LEASE_TTL_MS = 9_000;
const logger = createLogger('simulation', 'silent');
const noFiles = {
  stat: () => Promise.reject(new Error('the simulation has no files')),
  readText: () => Promise.reject(new Error('the simulation has no files')),
  list: () => Promise.reject(new Error('the simulation has no files')),
};

/** What all replicas share. */
export interface Surroundings {
  world: VirtualWorld;
  store: FakeRunStoreData;
  jobs: FakeTaskQueueData;
  runners: SimulatedRunner[];
  monitor: Monitor;
  nudges: NudgeFaults;
  /** Tasks that may be released and not begun; absent: a few, at random. */
  window?: number;
  slots: FakeSlotsData;
  /** Tasks of the one project of all runs in flight; absent: no limit. */
  projectLimit?: number;
}

export class Replica {
  readonly process: VirtualProcess;
  readonly pool = new RunnerPool({ now: () => this.process.clock.now(), returnGraceMs: 0 });
  readonly owner: PartitionOwner;
  readonly dispatcher: Dispatcher;
  private readonly queue: FakeTaskQueue;
  private starting = (): Promise<void> => Promise.resolve();
  private readonly store: RunStore;

  constructor(
    private readonly around: Surroundings,
    name: string,
  ) {
    const { world, monitor, jobs } = around;
    this.process = world.spawn(name);
    this.queue = createFakeTaskQueue(jobs);
    const store = remoteRunStore(world, this.process, around.store, {
      nudges: () => around.nudges,
      onLeases: (leases) => monitor.leased(leases),
      onAppend: (lease, runId, accepted) => monitor.appended(lease, runId, accepted),
    });
    this.dispatcher = this.dispatcherOver(store);
    this.owner = this.ownerOver(store, name);
    this.store = store;
  }

  async start(): Promise<void> {
    this.refreshRunners();
    await this.store.cancels.subscribe((attempts) => attempts.forEach(({ taskId, attempt }) => this.dispatcher.cancel(taskId, attempt)));
    await this.starting();
    await this.owner.start();
    await this.queue.consume(POOL, this.around.world.orderly ? 4 : this.around.world.random.int(1, 3), (job, signal, delivery) => {
      return new Promise((resolve, reject) => {
        this.process.receive(() => {
          this.dispatcher.handle(job, signal, delivery).then(
            () => this.around.world.post(this.process, true, 'job done', resolve),
            (error: unknown) => this.around.world.post(this.process, true, 'job refused', () => reject(error as Error)),
          );
        });
      });
    });
  }

  /** What the registry would tell: which runners there are. */
  refreshRunners(): void {
    this.process.receive(() => this.pool.update(this.around.runners.filter(({ away }) => !away).map(({ record }) => record)));
  }

  /** SIGKILL. Its jobs go to others when their locks lapse. */
  crash(jobsLapse: (work: () => void) => void): void {
    this.process.crash();
    jobsLapse(() => this.queue.crash());
  }

  /** SIGTERM, in the order of the app. */
  async close(): Promise<void> {
    await this.queue.close();
    await this.owner.close();
  }

  private dispatcherOver(store: RunStore): Dispatcher {
    const { runners } = this.around;
    return new Dispatcher({
      locator: new LoggedAttempts(() => this.owner, store.log, store.reader),
      plans: new PlanCache((hash) => store.log.getPlan(hash)),
      builder: simulatedBuilder,
      pool: this.pool,
      execution: (address, spec) => {
        const runner = runners.find(({ id }) => id === address);
        if (!runner) throw new Error(`no runner at ${address}`);
        return new SimulatedExecution(this.process, runner, spec);
      },
      reporter: new ReportRouter(() => this.owner, store.intake),
      logs: new TaskLogBuffer(store.taskLogs, logger),
      logger,
      clock: this.process.clock,
      dataUri: 'file:///data/',
    });
  }

  /** Calls may be late or lost, like all; so may be what is told. */
  private slots(): ProjectSlots {
    const slots = createFakeProjectSlots(this.around.slots);
    const { process } = this;
    return {
      acquire: (...args) => process.call('acquire slots', () => slots.acquire(...args)),
      release: (...args) => process.call('release slots', () => slots.release(...args)),
      claim: (...args) => process.call('claim slots', () => slots.claim(...args)),
      end: (...args) => process.call('end slots', () => slots.end(...args)),
      watch: (onFree) => slots.watch((project) => process.receive(() => onFree(project))),
      close: () => slots.close(),
    };
  }

  private ownerOver(store: RunStore, name: string): PartitionOwner {
    const { clock } = this.process;
    const { around } = this;
    const { monitor } = around;
    const through =
      <A, R>(operation: string, call: (argument: A) => Promise<R>) =>
      (argument: A): Promise<R> =>
        this.process.call(operation, () => call(argument));
    const queue = {
      ...this.queue,
      add: through('add', (jobs: TaskJob[]) => {
        monitor.jobsAdded(jobs, around.projectLimit !== undefined);
        return this.queue.add(jobs);
      }),
      remove: through('remove', (jobs: Parameters<FakeTaskQueue['remove']>[0]) => this.queue.remove(jobs)),
    };
    const window = this.around.window ?? this.around.world.random.int(1, 3);
    const releaser = new TaskReleaser({
      ...{ queue, logger, clock },
      stopper: new TaskStopper({ queue, canceller: this.dispatcher, cancels: store.cancels, logger, clock }),
      startable: () => window,
      terms: () => ({ weight: 1, cap: this.around.projectLimit ?? Infinity }),
      slots: new SlotKeeper({ slots: this.slots(), limitOf: () => this.around.projectLimit ?? Infinity, logger, clock }),
    });
    this.starting = () => releaser.start();
    const executor = new CommandRunner({
      releaser,
      evaluator: simulatedEvaluator(this.process),
      files: noFiles,
      logger,
      clock,
    });
    return new PartitionOwner({
      ...{ store, executor, logger, clock, owner: name, leaseTtlMs: LEASE_TTL_MS, partitions: around.store.partitions.length },
      completeOutputs: async (outputs) => outputs,
    });
  }
}
