/** The world of one history, and what happens in it from its first step to its last. */
import { type HistoryOptions, aRunHeader, createFakeRunStore, FakeArchiveFiles, FakeResultData, FakeRunStoreData } from '@weft/testing';
import { FakeTaskQueueData, type SeededRandom, VirtualWorld } from '@weft/testing';
import { partitionOf } from '@weft/run-store';
import { FakeSlotsData } from '../fake-project-slots.js';
import { Executions } from './executions.js';
import { Misfortunes, type Stage } from './misfortunes.js';
import type { Mix } from './mix.js';
import { Monitor, show } from './monitor.js';
import { checkEnd, timesRetried } from './outcome.js';
import { Readers } from './readers.js';
import { POOL, Replica, type Surroundings } from './replica.js';
import { SimulatedFiles } from './simulated-files.js';
import type { SimulatedRun } from './simulated-run.js';
import { SimulatedRunner } from './simulated-runners.js';

/** Steps before the faults stop. */
const FAULTY_STEPS = [60, 140, 140, 400];
const MAX_CALM_STEPS = 8_000;
/** By then everything that waits for a time has had its turn, milliseconds. */
const SETTLE_MS = 10_000;
const LOSSES = [0, 0, 0.02, 0.08];
const STEPS_PER_SNAPSHOT = 12;
/** Longest a client waits before it begins a run again that has not succeeded, milliseconds. */
const RETRY_MS = 3_000;

export class Story implements Stage {
  readonly world: VirtualWorld;
  readonly around: Surroundings;
  readonly outside;
  readonly readers: Readers;
  replicas: Replica[] = [];
  private readonly executions: Executions;
  private readonly misfortunes: Misfortunes;
  private started = 0;
  private quiet = true;
  private unsubmitted: SimulatedRun[] = [];
  /** Replicas that are asked to begin a run again. */
  private retrying: Replica[] = [];

  constructor(
    readonly random: SeededRandom,
    private readonly mix: Mix,
    readonly runs: SimulatedRun[],
    readonly options: HistoryOptions,
  ) {
    this.world = new VirtualWorld(random, options.journal);
    this.outside = this.world.spawn('outside');
    const now = (): number => this.world.nowMs;
    const store = new FakeRunStoreData(now, [partitionOf('r-0'), partitionOf('r-1')]);
    const slots = new FakeSlotsData();
    const files = new SimulatedFiles();
    const monitor = new Monitor(store, slots, files);
    this.executions = new Executions(monitor);
    const runners = ['runner-a', 'runner-b'].map((id) => new SimulatedRunner(this.world, id, files, this.executions));
    const { cache, retentionMs, projectLimit } = mix;
    const archive = new FakeArchiveFiles();
    const results = new FakeResultData(now);
    const jobs = new FakeTaskQueueData(true);
    const nudges = { lose: 0, double: 0 };
    this.around = {
      world: this.world,
      store,
      jobs,
      files,
      archive,
      results,
      runners,
      monitor,
      nudges,
      slots,
      cache,
      retentionMs,
      projectLimit,
    };
    this.readers = new Readers(this.around, this.outside);
    this.misfortunes = new Misfortunes(this);
  }

  begin(): void {
    for (let n = 0; n < this.mix.replicas; n++) this.startReplica();
    this.unsubmitted = [...this.runs];
  }

  async disturbed(): Promise<void> {
    const { random, around, options, world } = this;
    const faults = { loseCall: random.pick(LOSSES), loseAnswer: random.pick(LOSSES) };
    if (!options.without.has('loss')) world.faults = faults;
    const nudges = { lose: random.pick([0, 0.1, 0.5]), double: random.pick([0, 0.3]) };
    if (!options.without.has('nudges')) around.nudges = nudges;
    const trouble = random.pick([0, 0.02, 0.05, 0.1]);
    const steps = random.pick(FAULTY_STEPS);
    this.quiet = [trouble, ...Object.values(world.faults), ...Object.values(around.nudges)].every((chance) => chance === 0);
    for (let n = 0; n < steps && !this.isOver; n++) {
      await this.submitDue(n);
      if (n % STEPS_PER_SNAPSHOT === 0) this.misfortunes.remember();
      if (random.chance(trouble)) await this.misfortunes.strike();
      await world.step();
    }
  }

  /** Until every run has ended (again), and everything that follows from that has happened. */
  async calm(): Promise<void> {
    const { world, around } = this;
    world.calm();
    around.nudges = { lose: 0, double: 0 };
    this.misfortunes.end();
    if (this.replicas.every(({ process }) => process.crashed)) this.startReplica();
    await this.submitDue(Infinity);
    if (!(await this.until(() => this.isOver))) return;
    if (this.mix.retries) {
      for (const { runId } of this.unsuccessful()) this.outside.clock.after(this.random.int(0, RETRY_MS), () => void this.retry(runId));
      const retriedMs = world.nowMs + RETRY_MS;
      if (!(await this.until(() => world.nowMs > retriedMs && this.isOver))) return;
    }
    if (around.retentionMs !== undefined && !(await this.until(() => around.store.runs.size === 0))) {
      return around.monitor.violate('finished runs leave the store', [...around.store.runs.keys()].join());
    }
    const untilMs = world.nowMs + SETTLE_MS;
    for (let n = 0; await world.step(untilMs); n++) {
      if (n > MAX_CALM_STEPS) return around.monitor.violate('nothing is left behind', 'it never comes to rest');
    }
  }

  async check(): Promise<void> {
    const { monitor } = this.around;
    for (const { runId, expected } of this.runs) {
      const run = monitor.runOf(runId);
      if (run && monitor.isOver(runId)) checkEnd(monitor, runId, run, expected);
      else monitor.violate('when faults stop, every run ends', `${runId}: ${show(run?.log ?? [])}`);
      await this.readers.checkNow(runId);
    }
    this.checkNothingLeft();
    // What a replica has just published it knows by its checksum, what others have by its version: they do not share.
    if (this.quiet && this.mix.replicas === 1 && this.around.cache && this.runs.every(({ options }) => !options.noCache))
      this.executions.checkSharing();
    monitor.check();
  }

  /** As a user does: by any replica, which may refuse it. */
  async retry(runId: string): Promise<void> {
    const replica = this.random.pick(this.replicas);
    this.retrying.push(replica);
    await replica.queries
      .retry(runId)
      .catch((error: unknown) => this.world.note('user', () => `retry refused: ${(error as Error).message}`));
    this.retrying.splice(this.retrying.indexOf(replica), 1);
  }

  /** Lets the world go on until this is done. */
  async during(work: Promise<void>): Promise<void> {
    let done = false;
    void work.finally(() => (done = true));
    await this.until(() => done);
  }

  /** Runs that may be begun again. One whose files are just being removed would not find them: known, and kept out of the histories. */
  unsuccessful(): SimulatedRun[] {
    const { monitor, retentionMs, store } = this.around;
    const over = this.runs.filter(({ runId }) => monitor.isOver(runId) && monitor.runOf(runId)?.header.state !== 'succeeded');
    return over.filter(({ runId }) => retentionMs === undefined || !store.runs.has(runId));
  }

  /** How often the run has been begun again. */
  timesRetried(runId: string): number {
    return timesRetried(this.around.monitor.runOf(runId)?.log ?? []);
  }

  startReplica(): void {
    const replica = new Replica(this.around, `replica-${++this.started}`);
    this.replicas.push(replica);
    this.keepStarting(replica);
  }

  kill(replica: Replica): void {
    this.replicas = this.replicas.filter((other) => other !== replica);
    replica.crash((work) => this.outside.clock.after(this.random.int(0, 8_000), work));
  }

  refreshRunners(): void {
    for (const replica of this.replicas) replica.refreshRunners();
  }

  /** A replica that cannot start (the store does not answer) is started again by whoever watches over it. */
  private keepStarting(replica: Replica): void {
    replica.start().catch(() => {
      this.kill(replica);
      this.startReplica();
    });
  }

  private async submitDue(step: number): Promise<void> {
    const due = this.unsubmitted.filter(({ afterSteps }) => afterSteps <= step);
    if (due.length === 0) return;
    this.unsubmitted = this.unsubmitted.filter((run) => !due.includes(run));
    const { intake } = createFakeRunStore(this.around.store);
    for (const { runId, workflow, options, rules } of due) {
      const { plan, planHash, inputs } = workflow;
      await intake.putPlan(planHash, plan);
      const header = aRunHeader({ runId, planHash, pool: POOL });
      await intake.create(header, { type: 'RunAccepted', runId, planHash, inputs, options, ...(rules && { rules }) });
      this.around.monitor.submitted(runId, plan);
    }
    // What was acknowledged may be lost; a run that its client would submit again is of no interest here.
    this.misfortunes.remember();
  }

  private get isOver(): boolean {
    return (
      this.unsubmitted.length === 0 &&
      this.retrying.every(({ process }) => process.crashed) &&
      this.runs.every(({ runId }) => this.around.monitor.isOver(runId))
    );
  }

  private async until(done: () => boolean, steps = MAX_CALM_STEPS): Promise<boolean> {
    for (let n = 0; n < steps && !done(); n++) await this.world.step();
    return done();
  }

  private checkNothingLeft(): void {
    const { monitor, jobs, runners, slots, projectLimit } = this.around;
    const left = (what: string, count: number): void => {
      if (count === 0) return;
      const logs = this.runs.map(({ runId }) => show(monitor.runOf(runId)?.log ?? []));
      monitor.violate('nothing is left behind', `${count} ${what}; ${logs.join('; ')}`);
    };
    const { waiting, active, delayed } = jobs.pool(POOL);
    left(`jobs (${waiting.size} waiting, ${[...active.keys()].join()} active)`, waiting.size + active.size + delayed.size);
    left('slots of projects', slots.heldCount);
    for (const runner of runners) left(`tasks running on ${runner.id}`, runner.open);
    for (const replica of this.replicas.filter(({ process }) => process.awake)) {
      left(`run actors of ${replica.process.name}`, replica.owner.activeRuns);
      left(`tasks of ${replica.process.name}`, replica.dispatcher.activeTasks);
      left(`cores reserved by ${replica.process.name}`, replica.pool.reservedCores);
      left(`tasks waiting for room in ${replica.process.name}`, replica.pool.waitingCount);
      left(`claims on results of ${replica.process.name}`, replica.reuse?.claimed ?? 0);
    }
    for (const [project, most] of slots.peaks)
      if (most > (projectLimit ?? Infinity)) monitor.violate('slots of a project are never more than its limit', `${most} of ${project}`);
  }
}
