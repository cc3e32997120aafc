/**
 * The slots of this replica's runs: claims them when a run comes, gives them back as tasks are answered, and wakes who was refused.
 * Projects without a limit have nothing to do with it.
 *
 * Invariants:
 *  1. A slot is given back only after its task's answer is in the log, or the task was never released.
 *  2. What could not be given back is tried again while the run is ours; whoever has it next claims it.
 *  3. Nobody sleeps past a wake-up: one that comes while the refusal is on its way counts.
 */
import type { Logger } from '@weft/platform';
import type { Clock } from '../../kernel/clock.js';
import type { OwnedRun } from '../../runs/owned-run.js';
import type { ProjectSlots, RunOwner } from './project-slots.js';

export interface SlotKeeperDeps {
  slots: ProjectSlots;
  /** Tasks of a project in flight over all replicas, at most; Infinity = no limit. */
  limitOf(project: string): number;
  logger: Logger;
  clock: Clock;
}

export interface Granted {
  /** From the first on. */
  count: number;
  /** The rest was refused, and nothing has come free since. */
  wait: boolean;
}

const RETRY_MS = 1_000;

export class SlotKeeper {
  /** What each run held when it came here. */
  private readonly claims = new WeakMap<OwnedRun, Promise<string[]>>();
  private readonly givenBack = new Map<OwnedRun, string[]>();
  /** Projects that have, or had, a limit. */
  private readonly limited = new Set<string>();
  private wakeUps = 0;

  constructor(private readonly deps: SlotKeeperDeps) {}

  /** Also where it has a limit no more: tasks that came with slots give them back. */
  isLimited(project: string): boolean {
    if (this.deps.limitOf(project) !== Infinity) this.limited.add(project);
    return this.limited.has(project);
  }

  /** `onFree(project)` when tasks that were refused may be tried again; without a project: those of all. */
  watch(onFree: (project?: string) => void): Promise<void> {
    return this.deps.slots.watch((project) => {
      this.wakeUps += 1;
      onFree(project);
    });
  }

  /** The slots that the run held when it came to this replica; the same answer however often it is asked for. */
  claimed(actor: OwnedRun): Promise<string[]> {
    const known = this.claims.get(actor);
    if (known) return known;
    const claim = this.claim(actor);
    this.claims.set(actor, claim);
    return claim;
  }

  /** 'fenced': the run is another actor's, here or elsewhere. */
  async acquire(actor: OwnedRun, slots: string[]): Promise<Granted | 'fenced'> {
    const before = this.wakeUps;
    const owner = ownerOf(actor);
    const limit = Math.min(this.deps.limitOf(owner.project), Number.MAX_SAFE_INTEGER);
    const granted = await this.deps.slots.acquire(owner, limit, slots);
    if (granted === 'fenced') return granted;
    return { count: granted, wait: granted < slots.length && this.wakeUps === before };
  }

  /** Gives back what the events of one batch bring together. */
  release(actor: OwnedRun, slot: string): void {
    const together = this.givenBack.get(actor);
    if (together) return void together.push(slot);
    this.givenBack.set(actor, [slot]);
    void Promise.resolve().then(() => {
      const slots = this.givenBack.get(actor) ?? [];
      this.givenBack.delete(actor);
      this.giveBack(actor, slots);
    });
  }

  async end(actor: OwnedRun): Promise<void> {
    if (this.isLimited(actor.base.projectId)) await this.deps.slots.end(ownerOf(actor));
  }

  private async claim(actor: OwnedRun): Promise<string[]> {
    for (;;) {
      try {
        return await this.deps.slots.claim(ownerOf(actor));
      } catch (error) {
        if (actor.isStopped) return [];
        this.deps.logger.error({ err: error, runId: actor.runId }, 'slots not claimed; trying again');
        await new Promise<void>((resolve) => void this.deps.clock.after(RETRY_MS, resolve));
      }
    }
  }

  private giveBack(actor: OwnedRun, slots: string[]): void {
    this.deps.slots.release(ownerOf(actor), slots).catch((error: unknown) => {
      this.deps.logger.error({ err: error, runId: actor.runId }, 'slots not given back; trying again');
      this.deps.clock.after(RETRY_MS, () => !actor.isStopped && this.giveBack(actor, slots));
    });
  }
}

/** Room for the actors of one process beside the token: together they stay exact integers. */
const ACTORS = 2 ** 32;

/** Of two actors over one lease the later one is the owner: what the earlier one gave back late is not the later one's slot. */
function ownerOf(actor: OwnedRun): RunOwner {
  return { project: actor.base.projectId, runId: actor.runId, token: actor.lease.token * ACTORS + actor.serial };
}
