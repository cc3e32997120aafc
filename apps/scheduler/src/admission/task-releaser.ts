/**
 * Between the runs and the queue: holds the tasks that runs want done, and lets them go in fair order, as many as the pool can use soon.
 * What is held is in the run's log; a run that moves to another replica is held there.
 *
 * Invariants:
 *  1. Of a pool, this replica has at most a window of tasks released that nobody has begun (and as many again of runs with nothing else in
 *     flight, so that no run waits for another's tasks to find room). While there is room, nothing waits here.
 *  2. A task is in flight from its release until its answer is in the run's log, or the run belongs to another.
 *  3. A cancel comes after the adding it cancels; what was never released is answered at once.
 *  4. What could not be added, and whether it was, is not known: it is added again.
 *  5. A task of a project with a limit is added only with a slot (slot-keeper.ts); one that has its slot from an earlier owner is added first.
 */
import { type EngineEvent, goesOn } from '@weft/engine';
import type { Logger } from '@weft/platform';
import type { TaskQueue } from '@weft/queue';
import type { OwnedRun } from '../runs/owned-run.js';
import { taskJobOf } from '../jobs/task-job.js';
import type { TaskStopper } from '../jobs/task-stopper.js';
import { type Attempt, isLive, isRunning, type RunTask, shareOf, slotOf } from './attempts.js';
import type { HeldFor, Taken } from './fair-share.js';
import { createPool, type Pool, type PoolDeps, type Wanted } from './release-pool.js';
import type { SlotKeeper } from './slots/slot-keeper.js';

export type { RunTask } from './attempts.js';

export interface TaskReleaserDeps extends PoolDeps {
  queue: Pick<TaskQueue, 'add'>;
  stopper: Pick<TaskStopper, 'stop'>;
  slots: SlotKeeper;
  logger: Logger;
}

const RETRY_MS = 1_000;

export class TaskReleaser {
  private readonly pools = new Map<string, Pool>();
  private readonly adding = new WeakMap<OwnedRun, Set<Promise<void>>>();
  /** Runs whose slots from before are accounted for. */
  private readonly settled = new WeakSet<OwnedRun>();

  constructor(private readonly deps: TaskReleaserDeps) {}

  /** Wakes what waits for slots when some come free. */
  start(): Promise<void> {
    return this.deps.slots.watch((project) => {
      for (const pool of this.pools.values()) {
        pool.share.unblock(project);
        this.pumpSoon(pool);
      }
    });
  }

  /** What projects may claim in a pool has changed. */
  termsChanged(name: string): void {
    const pool = this.pools.get(name);
    if (!pool) return;
    pool.share.refreshTerms();
    this.pumpSoon(pool);
  }

  /** The limits of projects are others now. */
  limitsChanged(): void {
    for (const pool of this.pools.values()) {
      pool.share.unblock();
      this.termsChanged(pool.name);
    }
  }

  /** Takes tasks of one run; those that fit are released before it returns, where its project has no limit. */
  offer(actor: OwnedRun, commands: RunTask[]): void {
    if (!this.deps.slots.isLimited(actor.base.projectId)) return this.hold(actor, commands);
    void this.deps.slots.claimed(actor).then((held) => {
      const slots = new Set(held);
      if (!this.settled.has(actor)) this.settle(actor, slots);
      this.adopt(actor, commands, slots);
      this.hold(actor, commands);
    });
  }

  private hold(actor: OwnedRun, commands: RunTask[]): void {
    const pool = this.poolOf(actor.base.pool);
    const share = shareOf(actor);
    const begun: RunTask[] = [];
    for (const command of commands) {
      const { taskId, attempt } = command;
      if (actor.wants(taskId, attempt)) {
        pool.share.hold(share, taskId, { actor, command });
      } else if (!actor.isStopped && isRunning(actor, command)) {
        // Begun before this replica had the run.
        pool.share.adopt(share, taskId);
        begun.push(command);
      }
    }
    if (begun.length > 0) this.addBegun(actor, begun);
    this.pump(pool);
  }

  /** Their jobs are in the queue, unless the store lost its newest writes: then they would be waited for in vain. */
  private addBegun(actor: OwnedRun, commands: RunTask[]): void {
    this.deps.queue.add(commands.map((command) => ({ ...taskJobOf(actor, command), begun: true }))).catch((error: unknown) => {
      this.deps.logger.error({ err: error, runId: actor.runId }, 'tasks that were begun not queued; trying again');
      const open = (): RunTask[] => (actor.isStopped ? [] : commands.filter((command) => isRunning(actor, command)));
      this.deps.clock.after(RETRY_MS, () => open().length > 0 && this.addBegun(actor, open()));
    });
  }

  cancel(actor: OwnedRun, tasks: Attempt[]): void {
    const { share } = this.poolOf(actor.base.pool);
    const released: Attempt[] = [];
    for (const { taskId, attempt } of tasks) {
      if (share.drop(actor.runId, taskId)) void actor.offer({ type: 'TaskCancelled', taskId, attempt });
      else released.push({ taskId, attempt });
    }
    if (released.length === 0) return;
    const under = this.adding.get(actor);
    if (under?.size) void Promise.all(under).then(() => this.deps.stopper.stop(actor, released));
    else this.deps.stopper.stop(actor, released);
  }

  /** What reached a run's log and had an effect: starts and ends make room. */
  applied(actor: OwnedRun, event: EngineEvent): void {
    if (!('taskId' in event)) return;
    const pool = this.pools.get(actor.base.pool);
    if (!pool) return;
    const { taskId } = event;
    if (pool.unstarted.delete(taskId)) pool.window.started();
    if (!goesOn(event)) {
      if (pool.share.end(actor.runId, taskId) && this.deps.slots.isLimited(actor.base.projectId))
        this.deps.slots.release(actor, slotOf(event));
      pool.share.drop(actor.runId, taskId);
    } else if (pool.share.isHeld(actor.runId, taskId)) {
      // Released by whoever had the run before.
      pool.share.adopt(shareOf(actor), taskId);
    }
    this.pumpSoon(pool);
  }

  /** Before the run is sealed. */
  ending(actor: OwnedRun): Promise<void> {
    return this.deps.slots.end(actor);
  }

  /** The run has ended, or is another replica's. */
  stopped(actor: OwnedRun): void {
    const pool = this.pools.get(actor.base.pool);
    if (!pool) return;
    for (const taskId of pool.share.forget(actor.runId)) pool.unstarted.delete(taskId);
    this.pumpSoon(pool);
  }

  /** Of each pool that has had tasks. */
  report(): { pool: string; held: Record<HeldFor, number>; inFlight: number; unstarted: number }[] {
    return [...this.pools.values()].map(({ name, share, unstarted }) => {
      return { pool: name, held: share.heldFor(), inFlight: share.count().inFlight, unstarted: unstarted.size };
    });
  }

  /** Tasks that are held back, and tasks released that have no answer yet. */
  count(pool: string): { held: number; inFlight: number } {
    return this.pools.get(pool)?.share.count() ?? { held: 0, inFlight: 0 };
  }

  /** Once for all that one batch of a log brings. */
  private pumpSoon(pool: Pool): void {
    if (pool.pumping) return;
    pool.pumping = true;
    void Promise.resolve().then(() => {
      pool.pumping = false;
      // Refilled by halves: one round trip for many tasks.
      this.pump(pool, pool.unstarted.size <= this.windowOf(pool) / 2);
    });
  }

  /** Releases what there is room for; without `refill` only tasks of runs that have nothing in flight. */
  private pump(pool: Pool, refill = true): void {
    const size = this.windowOf(pool);
    const taken: Taken<Wanted>[] = [];
    for (;;) {
      const full = !refill || pool.unstarted.size >= size;
      if (full && pool.unstarted.size >= 2 * size) break;
      const next = pool.share.next(full);
      if (!next) break;
      const { actor, command } = next.task;
      if (actor.wants(command.taskId, command.attempt)) {
        pool.unstarted.add(next.id);
        taken.push(next);
      } else {
        pool.share.end(next.run, next.id);
      }
    }
    if (taken.length > 0) this.release(pool, taken);
    this.deps.neighbours?.tell(pool.name, () => pool.share.demand());
  }

  private windowOf({ name, share, window }: Pool): number {
    return this.deps.neighbours?.sizeOf(name, window, () => share.demand()) ?? window.size();
  }

  private release(pool: Pool, taken: Taken<Wanted>[]): void {
    const limited = new Map<OwnedRun, Taken<Wanted>[]>();
    const free = taken.filter((one) => {
      if (!this.deps.slots.isLimited(one.project)) return true;
      limited.set(one.task.actor, [...(limited.get(one.task.actor) ?? []), one]);
      return false;
    });
    if (free.length > 0) this.add(pool, free);
    for (const [actor, ofRun] of limited) void this.addWithSlots(pool, actor, ofRun);
  }

  private async addWithSlots(pool: Pool, actor: OwnedRun, taken: Taken<Wanted>[]): Promise<void> {
    try {
      const wanted = taken.map(({ task }) => slotOf(task.command));
      const granted = await this.deps.slots.acquire(actor, wanted);
      if (granted === 'fenced') return this.dropFenced(pool, actor, taken);
      const { count, wait } = granted;
      // What is in line and in flight of the run is a later actor's now; where that one has claimed the slots, giving them back is fenced.
      if (actor.isStopped) return wanted.slice(0, count).forEach((slot) => this.deps.slots.release(actor, slot));
      for (const refused of taken.slice(count).reverse()) {
        pool.unstarted.delete(refused.id);
        pool.share.putBack(refused);
      }
      if (wait) pool.share.block(actor.base.projectId);
      if (count < taken.length) this.pumpSoon(pool);
      for (const { id, task } of taken.slice(0, count))
        if (!pool.share.isInFlight(actor.runId, id)) this.deps.slots.release(actor, slotOf(task.command));
      this.addAgain(pool, taken.slice(0, count));
    } catch (error) {
      this.deps.logger.error({ err: error, runId: actor.runId }, 'no slots for tasks; trying again');
      this.deps.clock.after(RETRY_MS, () => !actor.isStopped && void this.addWithSlots(pool, actor, taken));
    }
  }

  /** Another replica has the run, as its actor here will hear: its tasks wait for nothing, and keep nobody of their project waiting. */
  private dropFenced(pool: Pool, actor: OwnedRun, taken: Taken<Wanted>[]): void {
    if (actor.isStopped) return;
    for (const { run, id } of taken) {
      pool.unstarted.delete(id);
      pool.share.end(run, id);
    }
    this.pumpSoon(pool);
  }

  /** Once for a run that came with slots: those of what is answered are given back. */
  private settle(actor: OwnedRun, held: Set<string>): void {
    this.settled.add(actor);
    for (const slot of held) if (!isLive(actor, slot)) this.deps.slots.release(actor, slot);
  }

  /** Tasks that came with slots are added again, whenever they are due: waiting for others, they would keep those waiting. */
  private adopt(actor: OwnedRun, commands: RunTask[], held: Set<string>): void {
    const pool = this.poolOf(actor.base.pool);
    const again = commands.filter((command) => held.has(slotOf(command)) && actor.wants(command.taskId, command.attempt));
    const taken = again.map((command) => ({
      run: actor.runId,
      project: actor.base.projectId,
      id: command.taskId,
      task: { actor, command },
    }));
    for (const { id } of taken) {
      pool.share.adopt(shareOf(actor), id);
      pool.unstarted.add(id);
    }
    if (taken.length > 0) this.add(pool, taken);
  }

  private add(pool: Pool, taken: Taken<Wanted>[]): void {
    const actors = new Set(taken.map(({ task }) => task.actor));
    const added = this.deps.queue
      .add(taken.map(({ task }) => taskJobOf(task.actor, task.command)))
      .catch((error: unknown) => {
        this.deps.logger.error({ err: error, tasks: taken.length }, 'tasks not queued; trying again');
        this.deps.clock.after(RETRY_MS, () => this.addAgain(pool, taken));
      })
      .finally(() => actors.forEach((actor) => this.adding.get(actor)?.delete(added)));
    for (const actor of actors) {
      const under = this.adding.get(actor) ?? new Set();
      this.adding.set(actor, under.add(added));
    }
  }

  /** Those that are still wanted stay in flight: they may be in the queue. */
  private addAgain(pool: Pool, taken: Taken<Wanted>[]): void {
    const wanted = taken.filter(({ task: { actor, command } }) => actor.wants(command.taskId, command.attempt));
    if (wanted.length > 0) this.add(pool, wanted);
  }

  private poolOf(name: string): Pool {
    const pool = this.pools.get(name) ?? createPool(name, this.deps);
    this.pools.set(name, pool);
    return pool;
  }
}
