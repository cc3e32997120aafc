/**
 * The cache as a dispatcher uses it: find a result (or wait for whoever is making it), and store one.
 *
 * Invariants:
 *  1. Whoever is told that there is no result holds the claim on its key, unless the holder before them has failed; it is given back by
 *     `keep` or `giveUp`.
 *  2. A result that turns out to be gone or changed is forgotten and looked for no more.
 */
import { type ClaimsDeps, Claims } from './claims.js';
import type { ContentIdMemory } from './content-ids.js';
import type { Lookup, News, ResultStore } from './ports.js';
import type { Surroundings } from './result-locations.js';
import type { StoredResults, Usable } from './stored-results.js';
import type { CwlObject } from '@weft/plan';

/** Results of one key that turned out to be gone or changed, one after another: enough to see that somebody is taking them away. */
const TRIES = 3;

export interface CallCacheDeps extends Pick<ClaimsDeps, 'after' | 'onProblem'> {
  store: ResultStore;
  results: StoredResults;
  contents: ContentIdMemory;
}

export class CallCache {
  readonly contents: ContentIdMemory;
  private readonly claims: Claims;

  constructor(private readonly deps: CallCacheDeps) {
    this.contents = deps.contents;
    this.claims = new Claims(deps);
  }

  /** Keys that are claimed here now. */
  get claimed(): number {
    return this.claims.count;
  }

  /** Resolves with the result, or with undefined where the caller is to execute. Rejects when the signal aborts, and where storage fails. */
  async find(key: string, holder: string, surroundings: Surroundings, signal: AbortSignal): Promise<Usable | undefined> {
    const { store, results } = this.deps;
    let lookup = await store.look(key, holder);
    for (let tries = 0; tries < TRIES && lookup.state !== 'claimed' && lookup.state !== 'unknown';) {
      if (lookup.state === 'found') {
        const { result } = lookup;
        const usable = await results.use(result, surroundings);
        if (usable !== undefined) return usable;
        tries += 1;
        lookup = await store.lookWithout(key, result.folder, holder);
      } else {
        const free: Lookup | 'failed' = await this.claims.whenFree(key, () => store.look(key, holder), signal);
        if (free === 'failed') return undefined;
        lookup = free;
      }
    }
    if (lookup.state === 'claimed') this.claims.took(key, holder);
    return undefined;
  }

  /**
   * Stores what a task made, under the key that says what it was made of. `claim` is on the key that was looked for; where that is another,
   * `news` is for those who wait for it.
   */
  async keep(
    task: { key: string; claim: { key: string; news: News } | undefined; holder: string; outputs: CwlObject; exitCode: number },
    surroundings: Surroundings,
  ): Promise<'kept' | 'not a result of its own'> {
    const { store, results } = this.deps;
    const result = await results.describe(task.outputs, task.exitCode, surroundings);
    if (result === undefined) {
      if (task.claim !== undefined) await this.giveUp(task.claim.key, task.holder, 'failed');
      return 'not a result of its own';
    }
    await store.put(task.key, result, task.holder);
    if (task.claim?.key === task.key) this.claims.settled(task.key, task.holder);
    else if (task.claim !== undefined) await this.giveUp(task.claim.key, task.holder, task.claim.news);
    return 'kept';
  }

  /** The claim is given back without a result. */
  giveUp(key: string, holder: string, news: News): Promise<void> {
    return this.claims.giveBack(key, holder, news);
  }

  close(): void {
    this.claims.close();
  }
}
