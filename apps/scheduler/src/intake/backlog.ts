/**
 * Back-pressure: takes submissions only while fewer runs are active than the limits allow.
 *
 * Invariants:
 *  1. A refusal rests on a count made just before; while there is room, counts are shared by all submissions of a second.
 *  2. What one replica admits never takes it over a limit; several replicas together exceed it by what the others admit in that second.
 */
import { ServiceError } from '@weft/platform';
import type { Limits } from '../admission/limits.js';

export interface BacklogDeps {
  limits: Pick<Limits, 'maxRuns' | 'of'>;
  /** Runs that have not ended: of a project, or all. */
  count(project?: string): Promise<number>;
  nowMs(): number;
}

/** Room for one run. To be given back exactly once: as taken, or as not needed. */
export interface Admission {
  settle(stored: boolean): void;
}

/** How long a count is good enough while there is room, and when there is none. */
const COUNT_MS = 1_000;
const RECOUNT_MS = 50;
/** When a refused client should come again: not all at once. */
const RETRY_MS = 1_000;

export class Backlog {
  private readonly gauges = new Map<string, Gauge>();

  constructor(private readonly deps: BacklogDeps) {}

  /** @throws ServiceError RESOURCE_EXHAUSTED with `retryAfterMs` */
  async admit(project: string): Promise<Admission> {
    const { limits } = this.deps;
    const all = await this.take('all', undefined, limits.maxRuns, () => `${limits.maxRuns} runs are active, which is this service's limit`);
    try {
      const { maxRuns } = limits.of(project);
      const own = await this.take(`of ${project}`, project, maxRuns, () => `project '${project}' has ${maxRuns} active runs, its limit`);
      return { settle: (stored) => [all, own].forEach((gauge) => gauge?.settle(stored)) };
    } catch (error) {
      all?.settle(false);
      throw error;
    }
  }

  private async take(name: string, project: string | undefined, limit: number, full: () => string): Promise<Gauge | undefined> {
    if (limit === Infinity) return undefined;
    const gauge = this.gauges.get(name) ?? new Gauge(() => this.deps.count(project), this.deps.nowMs);
    this.gauges.set(name, gauge);
    if (await gauge.take(limit)) return gauge;
    const retryAfterMs = RETRY_MS + Math.floor(Math.random() * RETRY_MS);
    throw new ServiceError('RESOURCE_EXHAUSTED', `${full()}; try again in ${Math.ceil(retryAfterMs / 1000)} s`, undefined, {
      retryAfterMs,
    });
  }
}

/** How many there are, at most: the last count, and what came since. */
class Gauge {
  private counted = 0;
  private countedAtMs = -Infinity;
  /** Stored since the last count began, and admitted but not stored yet. */
  private stored = 0;
  private pending = 0;
  private counting: Promise<void> | undefined;

  constructor(
    private readonly count: () => Promise<number>,
    private readonly nowMs: () => number,
  ) {}

  async take(limit: number): Promise<boolean> {
    if (!this.isFresh(COUNT_MS)) await this.recount();
    if (this.isFull(limit) && !this.isFresh(RECOUNT_MS)) await this.recount();
    if (this.isFull(limit)) return false;
    this.pending += 1;
    return true;
  }

  settle(stored: boolean): void {
    this.pending -= 1;
    if (stored) this.stored += 1;
  }

  private isFull(limit: number): boolean {
    return this.counted + this.stored + this.pending >= limit;
  }

  private isFresh(forMs: number): boolean {
    return Math.abs(this.nowMs() - this.countedAtMs) < forMs;
  }

  private recount(): Promise<void> {
    this.counting ??= this.countNow().finally(() => (this.counting = undefined));
    return this.counting;
  }

  private async countNow(): Promise<void> {
    const before = this.stored;
    this.counted = await this.count();
    // What was stored while the count was made may be in it: it counts twice until the next one.
    this.stored -= before;
    this.countedAtMs = this.nowMs();
  }
}
