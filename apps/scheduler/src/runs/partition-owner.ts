/**
 * Which runs this replica is responsible for: its share of the partitions by lease, one actor per active run of a leased partition.
 * Replicas announce themselves; each holds an equal share, hands over what is more, and takes what is free up to it.
 *
 * Invariants:
 *  1. An actor exists only while its partition's lease is held; a lost lease stops its actors.
 *  2. Subscribe first, then look: a run created between the two is found by one of them, and loading it twice is one load.
 *  3. A partition that is handed over is given back only when its actors have nothing under way: the next owner replays all they wrote.
 *  4. Whatever takes long (replays) never holds up the renewal of leases.
 *  5. While the lease is held, a run that could not be loaded, or whose log could not be written, is loaded again.
 *  6. What the store has lost while nobody was connected to it is told, by run: what was known of the runs is looked for after a reconnect.
 */
import type { Logger } from '@weft/platform';
import { PARTITIONS, partitionOf, type Lease, type LogEntry, type RunStore } from '@weft/run-store';
import pLimit from 'p-limit';
import { type Clock, systemClock } from '../kernel/clock.js';
import { PlanCache } from '../plans/plan-cache.js';
import { isSealed, LogDivergedError } from './log-events.js';
import { RunActor, type RunActorDeps } from './run-actor.js';
import type { CommandExecutor, OwnedRun } from './owned-run.js';
import { RunMemory } from './memory/run-memory.js';

export interface PartitionOwnerDeps {
  store: RunStore;
  executor: CommandExecutor;
  completeOutputs: RunActorDeps['completeOutputs'];
  logger: Logger;
  /** Name of this replica, unique among replicas. */
  owner: string;
  leaseTtlMs: number;
  /** How many partitions the replicas share; all of them unless a simulation has fewer. */
  partitions?: number;
  clock?: Clock;
  /** What its runs may hold. Default: without a limit. */
  memory?: RunMemory;
  /** Ten thousand runs of one plan hold it once. Default: a cache of its own. */
  plans?: Pick<PlanCache, 'get'>;
  /** Another partition is held now, or what became of one may have been missed. */
  onTaken?(): void;
  /** A run that was to be loaded has ended already. */
  onFoundEnded?(finishedAtMs: number): void;
}

/** Between two tries to load what could not be loaded. */
const RELOAD_MS = 1_000;
/** A replica is silent for at most this part of its leases' time; one that has less than its share looks more often. */
const BEATS_PER_LEASE = 3;
const HUNGRY_BEATS_PER_LEASE = 10;

/** Logs that are read at the same time: after a restart all of them are, and each is in memory twice until it is replayed. */
const REPLAYS = 16;

interface Loading {
  done: Promise<void>;
  /** Greatest sequence that it was nudged with meanwhile. */
  news: number;
}

interface LogPosition {
  sequence: number;
  atMs: number;
}

interface Held {
  lease: Lease;
  unsubscribe: () => Promise<void>;
}

export class PartitionOwner {
  private readonly held = new Map<number, Held>();
  private readonly plans: Pick<PlanCache, 'get'>;
  private readonly actors = new Map<string, RunActor>();
  private readonly loading = new Map<string, Loading>();
  /** Why runs could not be loaded, as it was told. */
  private readonly unloaded = new Map<string, string>();
  /** Partitions whose runs are being listed and loaded. */
  private readonly loads = new Set<Promise<void>>();
  private readonly partitions: number;
  private readonly clock: Clock;
  private readonly memory: RunMemory;
  private readonly replays = pLimit(REPLAYS);
  private stopTimer = (): void => undefined;
  private unwatch = (): Promise<void> => Promise.resolve();
  private tending: Promise<void> | undefined;
  private untended = false;
  private share = 0;
  private closed = false;

  constructor(private readonly deps: PartitionOwnerDeps) {
    this.clock = deps.clock ?? systemClock;
    this.memory = deps.memory ?? new RunMemory(Infinity);
    this.plans = deps.plans ?? new PlanCache((hash) => deps.store.log.getPlan(hash));
    this.partitions = deps.partitions ?? PARTITIONS;
  }

  /** Resolves when the runs of the partitions that were free are loaded. */
  async start(): Promise<void> {
    this.unwatch = await this.deps.store.leases.watch(() => this.tendNow());
    await this.tend();
    this.schedule();
    await Promise.all(this.loads);
  }

  actorOf(runId: string): OwnedRun | undefined {
    return this.actors.get(runId);
  }

  /** Whether this replica has the runs of that id. */
  isOwn(runId: string): boolean {
    return this.held.has(partitionOf(runId));
  }

  leases(): Lease[] {
    return [...this.held.values()].map(({ lease }) => lease);
  }

  get activeRuns(): number {
    return this.actors.size;
  }

  get heldPartitions(): number {
    return this.held.size;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stopTimer();
    await this.tending?.catch(() => undefined);
    await this.unwatch();
    await this.handOver([...this.held.values()]);
    await this.deps.store.leases.withdraw(this.deps.owner);
  }

  private schedule(): void {
    if (this.closed) return;
    const beats = this.held.size < this.share ? HUNGRY_BEATS_PER_LEASE : BEATS_PER_LEASE;
    this.stopTimer = this.clock.after(this.deps.leaseTtlMs / beats, () => {
      this.tend()
        .catch((error: unknown) => this.deps.logger.error({ err: error }, 'leases not renewed'))
        .finally(() => this.schedule());
    });
  }

  private tendNow(): void {
    if (!this.closed) this.tend().catch((error: unknown) => this.deps.logger.error({ err: error }, 'partitions not shared out again'));
  }

  /** One at a time; what changes meanwhile is looked at afterwards. */
  private tend(): Promise<void> {
    this.untended = true;
    this.tending ??= this.tendWhileNeeded().finally(() => (this.tending = undefined));
    return this.tending;
  }

  private async tendWhileNeeded(): Promise<void> {
    while (this.untended && !this.closed) {
      this.untended = false;
      await this.tendOnce();
    }
  }

  /** Says that this replica lives, renews what it holds, hands over what is more than its share and takes what is free up to it. */
  private async tendOnce(): Promise<void> {
    const { store, owner, leaseTtlMs } = this.deps;
    const [live] = await Promise.all([store.leases.announce(owner, leaseTtlMs), this.renewHeld()]);
    if (this.closed) return;
    this.share = shareOf(this.partitions, live.indexOf(owner), live.length);
    if (this.held.size > this.share) await this.handOver(this.surplus());
    if (this.held.size >= this.share || this.closed) return;
    const gained = await store.leases.acquire(owner, leaseTtlMs, this.share);
    await Promise.all(gained.filter((lease) => !this.held.has(lease.partition)).map((lease) => this.take(lease)));
  }

  private async renewHeld(): Promise<void> {
    const { store, leaseTtlMs, logger } = this.deps;
    await Promise.all(
      [...this.held.values()].map(async (held) => {
        if (await store.leases.renew(held.lease, leaseTtlMs)) return;
        logger.warn({ partition: held.lease.partition }, 'lease lost');
        this.held.delete(held.lease.partition);
        for (const actor of this.actorsOf(held)) actor.stop();
        await held.unsubscribe();
      }),
    );
  }

  /** Busy and idle ones alike, so that the runs are shared out with the partitions. */
  private surplus(): Held[] {
    const count = this.held.size - this.share;
    const busiestFirst = [...this.held.values()]
      .map((held) => ({ held, runs: this.actorsOf(held).length }))
      .sort((a, b) => b.runs - a.runs);
    return Array.from({ length: count }, (_, n) => busiestFirst[Math.floor((n * busiestFirst.length) / count)]?.held).filter(
      (held) => held !== undefined,
    );
  }

  private async handOver(leaving: Held[]): Promise<void> {
    const done = await Promise.allSettled(
      leaving.map(async (held) => {
        // From here on nothing of it is loaded; its actors end what they have under way.
        this.held.delete(held.lease.partition);
        await Promise.all(this.actorsOf(held).map((actor) => actor.retire()));
        await Promise.all([held.unsubscribe(), this.deps.store.leases.release(held.lease)]);
      }),
    );
    const failed = done.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason as Error;
  }

  private actorsOf({ lease: { partition } }: Held): RunActor[] {
    return [...this.actors.values()].filter(({ runId }) => partitionOf(runId) === partition);
  }

  private async take(lease: Lease): Promise<void> {
    const { store, logger } = this.deps;
    const { partition } = lease;
    try {
      const unsubscribe = await store.nudges.subscribe(
        partition,
        (runId, sequence) => void this.load(runId, sequence),
        () => void this.reload(partition),
      );
      this.held.set(partition, { lease, unsubscribe });
      this.deps.onTaken?.();
    } catch (error) {
      logger.error({ err: error, partition }, 'partition not taken; trying again');
      return;
    }
    const load = this.loadActive(partition).finally(() => this.loads.delete(load));
    this.loads.add(load);
  }

  /** After a reconnect: news may have been missed, and the store may have lost its newest writes. Every run goes on from its log. */
  private async reload(partition: number): Promise<void> {
    const held = this.held.get(partition);
    if (!held) return;
    await Promise.all([...this.actorsOf(held).map((actor) => this.loadAgain(actor)), this.loadActive(partition)]);
    this.deps.onTaken?.();
  }

  /** What comes meanwhile waits: what is read then holds all that the actor has written. */
  private loadAgain(actor: RunActor): Promise<void> {
    return this.loadBy(actor.runId, async () => {
      await actor.retire();
      await this.recover(actor.runId, actor.position);
    });
  }

  private async loadActive(partition: number): Promise<void> {
    const held = this.held.get(partition);
    if (!held || this.closed) return;
    try {
      const runIds = await this.deps.store.log.active(partition);
      await Promise.all(runIds.map((runId) => this.load(runId, Number.MAX_SAFE_INTEGER)));
    } catch (error) {
      this.deps.logger.error({ err: error, partition }, 'runs not loaded; trying again');
      this.clock.after(RELOAD_MS, () => this.held.get(partition) === held && void this.loadActive(partition));
    }
  }

  private load(runId: string, sequence: number): Promise<void> {
    const actor = this.actors.get(runId);
    if (actor) {
      actor.nudge(sequence);
      return Promise.resolve();
    }
    const known = this.loading.get(runId);
    if (known) {
      known.news = Math.max(known.news, sequence);
      return known.done;
    }
    return this.loadBy(runId, () => this.recover(runId));
  }

  private loadBy(runId: string, work: () => Promise<void>): Promise<void> {
    const loading: Loading = { news: 0, done: Promise.resolve() };
    this.loading.set(runId, loading);
    loading.done = work()
      .then(() => void this.unloaded.delete(runId))
      .catch((error: unknown) => {
        this.notLoaded(runId, error as Error);
        loading.news = 0;
        this.loadLater(runId);
      })
      .finally(() => this.loading.get(runId) === loading && this.loading.delete(runId))
      // What was appended meanwhile may have been read, or not: also that a run that was found to have ended goes on.
      .then(() => (loading.news > 0 ? this.load(runId, loading.news) : undefined));
    return loading.done;
  }

  /** Each cause is told once: it may last, and is met each second. */
  private notLoaded(runId: string, error: Error): void {
    if (this.unloaded.get(runId) === error.message) return;
    this.unloaded.set(runId, error.message);
    this.deps.logger.error({ err: error, runId }, 'run not loaded; trying again');
  }

  private loadLater(runId: string): void {
    this.clock.after(RELOAD_MS, () => void this.load(runId, Number.MAX_SAFE_INTEGER));
  }

  /** @param known where the run stood, as this replica has read or written it */
  private async recover(runId: string, known?: LogPosition): Promise<void> {
    while (await this.replays(() => this.replay(runId, known)));
  }

  /** True: the partition was lost meanwhile, and perhaps taken again, and others may have appended since. */
  private async replay(runId: string, known: LogPosition | undefined): Promise<boolean> {
    const { store, executor, completeOutputs, logger } = this.deps;
    const held = this.held.get(partitionOf(runId));
    if (!held || this.closed) return false;
    const header = await store.reader.get(runId);
    if (!header) {
      this.compare(runId, [], known);
      return false;
    }
    if (header.finishedAtMs !== undefined) {
      this.deps.onFoundEnded?.(header.finishedAtMs);
      return false;
    }
    const [plan, entries] = await Promise.all([this.plans.get(header.planHash), store.log.read(runId, 0)]);
    if (this.held.get(partitionOf(runId)) !== held || this.closed) return true;
    this.compare(runId, entries, known);
    if (entries.length === 0 || isSealed(entries)) return false;
    const actor = RunActor.recover(header, plan, entries, held.lease, {
      ...{ log: store.log, executor, completeOutputs, logger, clock: this.clock, memory: this.memory },
      onDone: (done, broken) => {
        this.actors.delete(done.runId);
        if (broken || done.isOutlived) this.loadLater(runId);
      },
    });
    this.actors.set(runId, actor);
    return false;
  }

  private compare(runId: string, entries: LogEntry[], known: LogPosition | undefined): void {
    if (!known || entries[known.sequence - 1]?.atMs === known.atMs) return;
    const error = new LogDivergedError(runId, known.sequence);
    this.deps.logger.error(
      { err: error, runId },
      entries.length === 0 ? 'the run is lost' : 'the run goes on from what is left of its log',
    );
  }
}

/** Equal shares; where the partitions do not divide evenly, the first replicas by name have one more. */
function shareOf(partitions: number, place: number, replicas: number): number {
  return Math.floor(partitions / replicas) + (place < partitions % replicas ? 1 : 0);
}
