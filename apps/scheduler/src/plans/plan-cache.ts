/**
 * Plans by hash, those that were used last; plans never change, so there is nothing to invalidate.
 *
 * Invariant: what it keeps is limited in number and in memory. A plan that is larger than all that it may keep is loaded for each who asks.
 */
import { heapBytes, type Plan } from '@weft/plan';
import { LRUCache } from 'lru-cache';

const MIB = 1024 * 1024;
const LIMITS = { count: 64, bytes: 256 * MIB };

export class PlanCache {
  private readonly plans: LRUCache<string, Plan>;

  constructor(load: (hash: string) => Promise<Plan | undefined>, { count, bytes } = LIMITS) {
    this.plans = new LRUCache<string, Plan>({
      ...{ max: count, maxSize: bytes, sizeCalculation: heapBytes, fetchMethod: load },
      // Who waits for one that is pushed out while it is loaded gets it all the same.
      ignoreFetchAbort: true,
    });
  }

  /** It is known already. */
  remember(hash: string, plan: Plan): void {
    if (!this.plans.has(hash)) this.plans.set(hash, plan);
  }

  /** Who asks while it is being loaded waits for the same. @throws where there is none */
  async get(hash: string): Promise<Plan> {
    const plan = await this.plans.fetch(hash);
    if (!plan) throw new Error(`plan ${hash} is not stored`);
    return plan;
  }
}
