/** What befalls replicas, runners, the store and the runs' files, and what users do meanwhile. */
import { createFakeRunStore, type HistoryOptions, type SeededRandom, type VirtualProcess, type VirtualWorld } from '@weft/testing';
import type { Readers } from './readers.js';
import { POOL, type Replica, type Surroundings } from './replica.js';
import { DATA_URI } from './simulated-files.js';
import type { SimulatedRunner } from './simulated-runners.js';
import type { SimulatedRun } from './simulated-run.js';

const OFTEN = ['crash', 'pause', 'runner'] as const;
const KINDS = ['lapse', 'cancel', 'restart', 'store', 'wait', 'retry', 'read', 'file', 'sweep', 'drain', 'full', 'stuck'] as const;
const MISFORTUNES = [...OFTEN, ...OFTEN, ...KINDS];
type Misfortune = (typeof MISFORTUNES)[number];

/** What can be left out of a history. */
export const TROUBLES: readonly string[] = [...OFTEN, ...KINDS, 'loss', 'nudges'];
/** Redis' `appendfsync everysec`. */
const FSYNC_MS = 1_000;
const MOST_RETRIES = 2;

/** The history that they befall. */
export interface Stage {
  readonly random: SeededRandom;
  readonly options: HistoryOptions;
  readonly world: VirtualWorld;
  readonly around: Surroundings;
  /** Whoever is none of the replicas. */
  readonly outside: VirtualProcess;
  readonly readers: Readers;
  readonly runs: SimulatedRun[];
  replicas: Replica[];
  startReplica(): void;
  kill(replica: Replica): void;
  refreshRunners(): void;
  /** Ended, but not well, and not archived. */
  unsuccessful(): SimulatedRun[];
  timesRetried(runId: string): number;
  retry(runId: string): Promise<void>;
}

export class Misfortunes {
  private onDisk: { atMs: number; tasks: number; restore: () => void } | undefined;
  private readonly acts: Record<Misfortune, () => void | Promise<void>>;

  constructor(private readonly story: Stage) {
    const { random, around } = story;
    this.acts = {
      crash: () => {
        story.kill(random.pick(story.replicas));
        story.startReplica();
      },
      pause: () => {
        const { process } = random.pick(story.replicas);
        process.pause();
        this.later(25_000, () => process.resume());
      },
      runner: () => this.runnerLeaves(random.pick(around.runners)),
      lapse: () => around.jobs.lapse(POOL, () => random.chance(0.5)),
      cancel: () => this.cancel(),
      restart: () => this.restart(random.pick(story.replicas)),
      store: () => this.storeRestarts(),
      wait: () => {
        story.world.nowMs += random.int(0, 12_000);
      },
      retry: () => {
        const run = story.unsuccessful().find(({ runId }) => story.timesRetried(runId) < MOST_RETRIES);
        if (run) void story.retry(run.runId);
      },
      read: () => void story.readers.read(random.pick(story.replicas), random.pick(story.runs).runId),
      file: () => this.fileGoes(),
      sweep: () => {
        random
          .pick(story.replicas)
          .reuse?.folders.sweep()
          .catch(() => undefined);
      },
      drain: () => this.changeRunner(10_000, (runner, draining) => (runner.draining = draining)),
      full: () => this.changeRunner(5_000, (runner, full) => (runner.full = full)),
      stuck: () => this.changeRunner(20_000, (runner, stuck) => (stuck ? runner.stick() : runner.goOn())),
    };
  }

  async strike(): Promise<void> {
    const { story } = this;
    const misfortune = story.random.pick(MISFORTUNES);
    if (story.options.without.has(misfortune)) return;
    story.world.note('', () => misfortune);
    await this.acts[misfortune]();
  }

  /** From now on nothing goes wrong any more. */
  end(): void {
    for (const { process } of this.story.replicas) process.resume();
    for (const runner of this.story.around.runners) {
      runner.goOn();
      runner.full = false;
      runner.draining = false;
      runner.comeBack();
    }
    this.story.refreshRunners();
  }

  /** What the store has on disk: it is at most a second behind. */
  remember(): void {
    const { around, world } = this.story;
    // Where it holds slots of projects, too, they are not part of what is remembered.
    if (around.projectLimit !== undefined) return;
    const parts = [around.store.snapshot(), around.jobs.snapshot(POOL), around.results.snapshot()];
    this.onDisk = { atMs: world.nowMs, tasks: this.knownTasks(), restore: () => parts.forEach((restore) => restore()) };
  }

  /** The store is killed and comes back, perhaps without what it acknowledged within the last second; everybody reconnects. */
  private storeRestarts(): void {
    const { around, world } = this.story;
    if (around.projectLimit !== undefined) return;
    // Known, and kept out of the histories: where what made a task is lost, its id goes to whichever task comes next, and so may its answer.
    if (!this.onDisk || world.nowMs - this.onDisk.atMs > FSYNC_MS || this.onDisk.tasks !== this.knownTasks()) this.remember();
    around.monitor.cutBack(() => this.onDisk?.restore());
    this.later(8_000, () => around.jobs.lapseUnheld(POOL));
  }

  private knownTasks(): number {
    const { monitor, store } = this.story.around;
    return [...store.runs.keys()].reduce((sum, runId) => sum + monitor.replay(runId).state.tasks.size, 0);
  }

  private restart(replica: Replica): void {
    const { story } = this;
    story.replicas = story.replicas.filter((other) => other !== replica);
    story.startReplica();
    replica.process.resume();
    replica.close().then(
      () => story.kill(replica),
      () => story.kill(replica),
    );
  }

  private async cancel(): Promise<void> {
    const { random, around, runs } = this.story;
    if (!random.chance(0.5)) return;
    const { intake } = createFakeRunStore(around.store);
    await intake.request(random.pick(runs).runId, { type: 'CancelAsked', reason: 'enough' });
  }

  private runnerLeaves(runner: SimulatedRunner): void {
    const { random } = this.story;
    if (runner.away) return;
    runner.leave(random.chance(0.5));
    // The registry hears of it later, or not at all.
    if (random.chance(0.5)) this.story.refreshRunners();
    this.later(10_000, () => {
      if (!runner.away) return;
      runner.comeBack();
      this.story.refreshRunners();
    });
  }

  private changeRunner(longestMs: number, change: (runner: SimulatedRunner, on: boolean) => void): void {
    const runner = this.story.random.pick(this.story.around.runners);
    change(runner, true);
    this.story.refreshRunners();
    this.later(longestMs, () => {
      change(runner, false);
      this.story.refreshRunners();
    });
  }

  /** Somebody removes or changes a file that only an earlier result still promises. */
  private fileGoes(): void {
    const { random, runs, around } = this.story;
    const done = runs.filter(({ runId }) => around.monitor.isOver(runId) && around.monitor.runOf(runId)?.header.state === 'succeeded');
    const prefixes = [`${DATA_URI}cache`, ...done.map(({ runId }) => `${DATA_URI}runs/${runId}`)];
    const uris = prefixes.flatMap((prefix) => around.files.below(prefix));
    if (uris.length === 0) return;
    const uri = random.pick(uris);
    around.monitor.vandalised.add(uri);
    if (random.chance(0.5)) around.files.texts.delete(uri);
    else around.files.texts.set(uri, 'something else');
  }

  private later(longestMs: number, work: () => void): void {
    this.story.outside.clock.after(this.story.random.int(10, longestMs), work);
  }
}
