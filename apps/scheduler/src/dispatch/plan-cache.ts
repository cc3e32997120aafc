/** Plans by hash, as many as are in use; plans never change, so there is nothing to invalidate. */
import type { Plan } from '@weft/plan';

export class PlanCache {
  private readonly plans = new Map<string, Promise<Plan>>();

  constructor(
    private readonly load: (hash: string) => Promise<Plan | undefined>,
    private readonly limit = 64,
  ) {}

  get(hash: string): Promise<Plan> {
    const known = this.plans.get(hash);
    if (known) {
      this.plans.delete(hash);
      this.plans.set(hash, known);
      return known;
    }
    const loading = this.load(hash).then((plan) => {
      if (!plan) throw new Error(`plan ${hash} is not stored`);
      return plan;
    });
    loading.catch(() => this.plans.delete(hash));
    this.plans.set(hash, loading);
    const [oldest] = this.plans.keys();
    if (this.plans.size > this.limit && oldest !== undefined) this.plans.delete(oldest);
    return loading;
  }
}
