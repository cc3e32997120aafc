/**
 * One history: some runs, several replicas and runners, and everything that can go wrong with them, in an order that the seed decides.
 * First with faults, then without; in the end every property is checked.
 */
import type { RunOptions } from '@weft/engine';
import { canonicalJson } from '@weft/plan';
import { type LogEntry, partitionOf } from '@weft/run-store';
import {
  aRunHeader,
  createFakeRunStore,
  FakeRunStoreData,
  FakeTaskQueueData,
  type HistoryOptions,
  type Journal,
  keepOnce,
  SeededRandom,
  VirtualWorld,
} from '@weft/testing';
import { FakeSlotsData } from '../fake-project-slots.js';
import { type Expected, Monitor, show } from './monitor.js';
import { POOL, Replica, type Surroundings } from './replica.js';
import { SimulatedRunner } from './simulated-runners.js';
import { randomWorkflow, type SimulatedWorkflow } from './workflows.js';

/** Different workflows; each history takes one or two. */
export const WORKFLOWS = 400;
/** Steps before the faults stop. */
const FAULTY_STEPS = [60, 140, 140, 400];
const DEADLINES_MS = [...new Array<undefined>(12).fill(undefined), 4_000, 30_000];
const LIMITS = [undefined, undefined, undefined, 1, 2];
const MAX_CALM_STEPS = 6_000;
/** By then everything that waits for a time has had its turn, milliseconds. */
const SETTLE_MS = 10_000;
const LOSSES = [0, 0, 0.02, 0.08];
const MAX_ATTEMPTS = 3;
const STEPS_PER_SNAPSHOT = 12;
/** Redis' `appendfsync everysec`. */
const FSYNC_MS = 1_000;

export interface History {
  steps: number;
  /** Everything the logs hold. */
  logs: string;
}

export interface SimulatedRun {
  runId: string;
  expected: Expected;
}

const workflows = new Map<number, SimulatedWorkflow & { planHash: string }>();
const undisturbed = new Map<number, Promise<Expected>>();

/** What a test of the properties themselves breaks. */
export interface Tampering {
  before?(around: Surroundings): void;
  after?(around: Surroundings, runs: SimulatedRun[]): void;
}

/** What can go wrong, and be left out: the misfortunes, and what happens to messages. */
const MISFORTUNES = ['crash', 'crash', 'pause', 'pause', 'lapse', 'runner', 'runner', 'cancel', 'restart', 'store', 'wait'] as const;
export const TROUBLES = [...new Set<string>([...MISFORTUNES, 'loss', 'nudges'])];

/** Rejects with PropertyViolation. */
export async function runHistory(seed: number, { without, journal }: HistoryOptions, tampering: Tampering = {}): Promise<History> {
  const random = new SeededRandom(seed);
  const chosen = Array.from({ length: random.int(1, 2) }, () => random.int(0, WORKFLOWS - 1));
  const expected: Expected[] = [];
  for (const number of chosen) expected.push(await undisturbedEnd(number));
  const story = new Story(random, without, journal);
  const runs: SimulatedRun[] = [];
  story.around.projectLimit = random.pick(LIMITS);
  tampering.before?.(story.around);
  story.begin(random.int(1, 3));
  for (const [at, number] of chosen.entries()) {
    const runId = `r-${at}`;
    const sharing = { priority: random.int(-1, 1), maxParallelTasks: random.pick(LIMITS) };
    await story.submit(runId, workflowOf(number), { deadlineMs: random.pick(DEADLINES_MS), ...sharing });
    runs.push({ runId, expected: expected[at] as Expected });
  }
  await story.disturbed(runs);
  await story.calm(runs);
  tampering.after?.(story.around, runs);
  story.check(runs);
  const logs = canonicalJson(runs.map(({ runId }) => story.around.store.runs.get(runId)?.log));
  return { steps: story.world.steps, logs };
}

function workflowOf(number: number): SimulatedWorkflow & { planHash: string } {
  const known = workflows.get(number);
  if (known) return known;
  const made = randomWorkflow(new SeededRandom(number));
  // One plan for all histories: what is derived from it is derived once.
  const workflow = { ...made, plan: keepOnce(made.plan), planHash: `plan-${number}` };
  workflows.set(number, workflow);
  return workflow;
}

/** The same parts, one replica, nothing lost, everything in order. */
function undisturbedEnd(number: number): Promise<Expected> {
  const known = undisturbed.get(number) ?? simulateUndisturbed(number);
  undisturbed.set(number, known);
  return known;
}

async function simulateUndisturbed(number: number): Promise<Expected> {
  const story = new Story(new SeededRandom(number), new Set());
  story.world.orderly = true;
  story.begin(1);
  await story.submit('r-0', workflowOf(number));
  await story.calm([{ runId: 'r-0', expected: { status: 'succeeded' } }]);
  story.around.monitor.check();
  const { status, outputs } = story.around.store.runs.get('r-0')?.log.at(-1)?.event as unknown as Expected;
  return { status, outputs };
}

class Story {
  readonly world: VirtualWorld;
  readonly around: Surroundings;
  private replicas: Replica[] = [];
  private started = 0;
  private onDisk: { atMs: number; restore: () => void } | undefined;
  private readonly outside;

  constructor(
    private readonly random: SeededRandom,
    private readonly without: ReadonlySet<string>,
    journal?: Journal,
  ) {
    this.world = new VirtualWorld(random, journal);
    this.outside = this.world.spawn('outside');
    const partitions = [partitionOf('r-0'), partitionOf('r-1')];
    const store = new FakeRunStoreData(() => this.world.nowMs, partitions);
    const runners = ['runner-a', 'runner-b'].map((id) => new SimulatedRunner(this.world, id));
    const jobs = new FakeTaskQueueData(true);
    const slots = new FakeSlotsData();
    const monitor = new Monitor(store, slots);
    this.around = { world: this.world, store, jobs, runners, monitor, nudges: { lose: 0, double: 0 }, slots };
  }

  begin(replicas: number): void {
    for (let n = 0; n < replicas; n++) this.startReplica();
  }

  async submit(
    runId: string,
    { plan, planHash, inputs }: SimulatedWorkflow & { planHash: string },
    { deadlineMs, ...sharing }: Partial<RunOptions> = {},
  ): Promise<void> {
    const { intake } = createFakeRunStore(this.around.store);
    await intake.putPlan(planHash, plan);
    const options = { noContainer: false, maxAttempts: MAX_ATTEMPTS, deadlineMs, ...sharing };
    await intake.create(aRunHeader({ runId, planHash, inputs, pool: POOL }), { type: 'RunAccepted', runId, planHash, inputs, options });
  }

  async disturbed(runs: SimulatedRun[]): Promise<void> {
    const { random, around } = this;
    const faults = { loseCall: random.pick(LOSSES), loseAnswer: random.pick(LOSSES) };
    if (!this.without.has('loss')) this.world.faults = faults;
    const nudges = { lose: random.pick([0, 0.1, 0.5]), double: random.pick([0, 0.3]) };
    if (!this.without.has('nudges')) around.nudges = nudges;
    const trouble = random.pick([0, 0.02, 0.05, 0.1]);
    const steps = random.pick(FAULTY_STEPS);
    for (let n = 0; n < steps && !this.ended(runs); n++) {
      if (n % STEPS_PER_SNAPSHOT === 0) this.remember();
      if (random.chance(trouble)) await this.misfortune(runs);
      await this.world.step();
    }
  }

  async calm(runs: SimulatedRun[]): Promise<void> {
    this.world.calm();
    this.around.nudges = { lose: 0, double: 0 };
    for (const { process } of this.replicas) process.resume();
    for (const runner of this.around.runners) if (runner.away) this.runnerReturns(runner);
    if (this.replicas.every(({ process }) => process.crashed)) this.startReplica();
    for (let n = 0; n < MAX_CALM_STEPS && !this.ended(runs); n++) await this.world.step();
    const untilMs = this.world.nowMs + SETTLE_MS;
    if (!this.ended(runs)) return;
    for (let n = 0; await this.world.step(untilMs); n++) {
      if (n > MAX_CALM_STEPS) return this.around.monitor.violate('nothing is left behind', 'it never comes to rest');
    }
  }

  check(runs: SimulatedRun[]): void {
    const { monitor, store, jobs, runners, slots } = this.around;
    for (const { runId, expected } of runs) {
      const run = store.runs.get(runId);
      if (run?.sealed) monitor.checkRun(runId, expected);
      else monitor.violate('when faults stop, every run ends', `${runId}: ${show(run?.log ?? [])}`);
    }
    const left = (what: string, count: number): void => {
      if (count > 0)
        monitor.violate('nothing is left behind', `${count} ${what}; ${runs.map(({ runId }) => show(this.log(runId))).join('; ')}`);
    };
    const { waiting, active, delayed } = jobs.pool(POOL);
    left(`jobs (${waiting.size} waiting, ${[...active.keys()].join()} active)`, waiting.size + active.size + delayed.size);
    left('slots of projects', slots.heldCount);
    for (const runner of runners) left(`tasks running on ${runner.id}`, runner.running);
    for (const replica of this.replicas.filter(({ process }) => process.awake)) {
      left(`run actors of ${replica.process.name}`, replica.owner.activeRuns);
      left(`tasks of ${replica.process.name}`, replica.dispatcher.activeTasks);
      left(`cores reserved by ${replica.process.name}`, replica.pool.reservedCores);
      left(`tasks waiting for room in ${replica.process.name}`, replica.pool.waitingCount);
    }
    monitor.check();
  }

  private log(runId: string): LogEntry[] {
    return this.around.store.runs.get(runId)?.log ?? [];
  }

  private ended(runs: SimulatedRun[]): boolean {
    return runs.every(({ runId }) => this.around.store.runs.get(runId)?.sealed);
  }

  private startReplica(): void {
    const replica = new Replica(this.around, `replica-${++this.started}`);
    this.replicas.push(replica);
    this.keepStarting(replica);
  }

  /** A replica that cannot start (the store does not answer) is started again by whoever watches over it. */
  private keepStarting(replica: Replica): void {
    replica.start().catch(() => {
      this.kill(replica);
      this.startReplica();
    });
  }

  private kill(replica: Replica): void {
    this.replicas = this.replicas.filter((other) => other !== replica);
    replica.crash((work) => this.outside.clock.after(this.random.int(0, 8_000), work));
  }

  private async misfortune(runs: SimulatedRun[]): Promise<void> {
    const { random } = this;
    const misfortune = random.pick(MISFORTUNES);
    if (this.without.has(misfortune)) return;
    this.world.note('', () => misfortune);
    switch (misfortune) {
      case 'crash':
        this.kill(random.pick(this.replicas));
        return this.startReplica();
      case 'pause': {
        const { process } = random.pick(this.replicas);
        process.pause();
        this.outside.clock.after(random.int(10, 25_000), () => process.resume());
        return;
      }
      case 'lapse':
        return this.around.jobs.lapse(POOL, () => random.chance(0.5));
      case 'runner':
        return this.runnerLeaves();
      case 'cancel': {
        if (!random.chance(0.3)) return;
        const { intake } = createFakeRunStore(this.around.store);
        await intake.request(random.pick(runs).runId, { type: 'CancelAsked', reason: 'enough' });
        return;
      }
      case 'restart':
        return this.restart(random.pick(this.replicas));
      case 'store':
        return this.storeRestarts();
      case 'wait':
        this.world.nowMs += random.int(0, 12_000);
    }
  }

  /** What the store has on disk: it is at most a second behind. */
  private remember(): void {
    // Where it holds slots of projects, too, they are not part of what is remembered.
    if (this.around.projectLimit !== undefined) return;
    const [store, jobs] = [this.around.store.snapshot(), this.around.jobs.snapshot(POOL)];
    this.onDisk = {
      atMs: this.world.nowMs,
      restore: () => {
        store();
        jobs();
      },
    };
  }

  /** The store is killed and comes back, perhaps without what it acknowledged within the last second; everybody reconnects. */
  private storeRestarts(): void {
    if (this.around.projectLimit !== undefined) return;
    const onDisk = this.onDisk;
    if (!onDisk || this.world.nowMs - onDisk.atMs > FSYNC_MS) this.remember();
    this.around.monitor.cutBack(() => this.onDisk?.restore());
    this.outside.clock.after(this.random.int(0, 8_000), () => this.around.jobs.lapseUnheld(POOL));
  }

  private restart(replica: Replica): void {
    this.replicas = this.replicas.filter((other) => other !== replica);
    this.startReplica();
    replica.process.resume();
    replica.close().then(
      () => this.kill(replica),
      () => this.kill(replica),
    );
  }

  private runnerLeaves(): void {
    const runner = this.random.pick(this.around.runners);
    if (runner.away) return;
    runner.leave(this.random.chance(0.5));
    // The registry hears of it later, or not at all.
    if (this.random.chance(0.5)) this.refreshRunners();
    this.outside.clock.after(this.random.int(10, 10_000), () => this.runnerReturns(runner));
  }

  private runnerReturns(runner: SimulatedRunner): void {
    if (!runner.away) return;
    runner.comeBack();
    this.refreshRunners();
  }

  private refreshRunners(): void {
    for (const replica of this.replicas) replica.refreshRunners();
  }
}
