/**
 * Which runs this replica is responsible for: leases over partitions, one actor per active run of a leased partition.
 *
 * Invariants:
 *  1. An actor exists only while its partition's lease is held; a lost lease stops its actors.
 *  2. Subscribe first, then look: a run created between the two is found by one of them, and loading it twice is one load.
 *  3. While the lease is held, a run that could not be loaded, or whose log could not be written, is loaded again.
 */
import type { Logger } from '@weft/platform';
import { partitionOf, type Lease, type RunStore } from '@weft/run-store';
import { type Clock, systemClock } from '../clock.js';
import { isSealed } from './log-events.js';
import { RunActor, type CommandExecutor, type RunActorDeps } from './run-actor.js';

export interface PartitionOwnerDeps {
  store: RunStore;
  executor: CommandExecutor;
  completeOutputs: RunActorDeps['completeOutputs'];
  logger: Logger;
  /** Name of this replica, unique among replicas. */
  owner: string;
  leaseTtlMs: number;
  clock?: Clock;
}

/** Between two tries to load what could not be loaded. */
const RELOAD_MS = 1_000;

interface Held {
  lease: Lease;
  unsubscribe: () => Promise<void>;
}

export class PartitionOwner {
  private readonly held = new Map<number, Held>();
  private readonly actors = new Map<string, RunActor>();
  private readonly loading = new Map<string, Promise<void>>();
  private readonly clock: Clock;
  private stopTimer = (): void => undefined;
  private closed = false;

  constructor(private readonly deps: PartitionOwnerDeps) {
    this.clock = deps.clock ?? systemClock;
  }

  async start(): Promise<void> {
    await this.tend();
    this.schedule();
  }

  actorOf(runId: string): RunActor | undefined {
    return this.actors.get(runId);
  }

  get activeRuns(): number {
    return this.actors.size;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stopTimer();
    for (const actor of [...this.actors.values()]) actor.stop();
    await Promise.all([...this.held.values()].map((held) => this.letGo(held, true)));
  }

  private schedule(): void {
    if (this.closed) return;
    this.stopTimer = this.clock.after(this.deps.leaseTtlMs / 3, () => {
      this.tend()
        .catch((error: unknown) => this.deps.logger.error({ err: error }, 'leases not renewed'))
        .finally(() => this.schedule());
    });
  }

  /** Renews what is held, takes what is free. */
  private async tend(): Promise<void> {
    const { store, owner, leaseTtlMs } = this.deps;
    await Promise.all(
      [...this.held.values()].map(async (held) => {
        if (!(await store.leases.renew(held.lease, leaseTtlMs))) {
          this.deps.logger.warn({ partition: held.lease.partition }, 'lease lost');
          await this.letGo(held, false);
        }
      }),
    );
    if (this.closed) return;
    const gained = await store.leases.acquire(owner, leaseTtlMs);
    await Promise.all(gained.filter((lease) => !this.held.has(lease.partition)).map((lease) => this.take(lease)));
  }

  private async take(lease: Lease): Promise<void> {
    const { store } = this.deps;
    const { partition } = lease;
    const unsubscribe = await store.nudges.subscribe(
      partition,
      (runId, sequence) => void this.load(runId, sequence),
      () => void this.loadActive(partition),
    );
    this.held.set(partition, { lease, unsubscribe });
    await this.loadActive(partition);
  }

  private async letGo(held: Held, release: boolean): Promise<void> {
    this.held.delete(held.lease.partition);
    for (const actor of [...this.actors.values()]) if (partitionOf(actor.runId) === held.lease.partition) actor.stop();
    await held.unsubscribe();
    if (release) await this.deps.store.leases.release(held.lease);
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
    // What was appended after the load began is nudged again by whoever appended it: the actor reads it then.
    if (known) return known.then(() => this.actors.get(runId)?.nudge(sequence));
    const load = this.recover(runId)
      .catch((error: unknown) => {
        this.deps.logger.error({ err: error, runId }, 'run not loaded; trying again');
        this.loadLater(runId);
      })
      .finally(() => this.loading.delete(runId));
    this.loading.set(runId, load);
    return load;
  }

  private loadLater(runId: string): void {
    this.clock.after(RELOAD_MS, () => void this.load(runId, Number.MAX_SAFE_INTEGER));
  }

  private async recover(runId: string): Promise<void> {
    const { store, executor, completeOutputs, logger } = this.deps;
    for (;;) {
      const held = this.held.get(partitionOf(runId));
      if (!held || this.closed) return;
      const header = await store.reader.get(runId);
      if (!header || header.finishedAtMs !== undefined) return;
      const [plan, entries] = await Promise.all([store.log.getPlan(header.planHash), store.log.read(runId, 0)]);
      if (entries.length === 0 || isSealed(entries)) return;
      if (!plan) throw new Error(`run ${runId} names plan ${header.planHash}, which is not stored`);
      // The partition was lost, and perhaps taken again: others may have appended since.
      if (this.held.get(partitionOf(runId)) !== held || this.closed) continue;
      const actor = RunActor.recover(header, plan, entries, held.lease, {
        ...{ log: store.log, executor, completeOutputs, logger, clock: this.clock },
        onDone: (done, broken) => {
          this.actors.delete(done.runId);
          if (broken) this.loadLater(runId);
        },
      });
      this.actors.set(runId, actor);
      return;
    }
  }
}
