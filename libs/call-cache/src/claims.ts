/**
 * Who works on a key: claims that are held here and renewed, and waiting for those of others.
 *
 * Invariants:
 *  1. A claim that is held is renewed until it is given back; nothing else keeps a timer.
 *  2. Who waits is told by a push; a timer is set only for the moment at which the holder's claim lapses, which is how one hears of a death.
 *  3. Who waits holds nothing: no claim, no room on a runner.
 */
import type { Lookup, News, ResultStore } from './ports.js';

/** A claim that is not renewed for this long is anybody's, milliseconds. */
export const CLAIM_MS = 30_000;
/** After the moment at which a claim lapses by the holder's clock, it has lapsed by the store's. */
const MARGIN_MS = 200;

export interface ClaimsDeps {
  store: Pick<ResultStore, 'renew' | 'giveBack' | 'subscribe'>;
  /** Does the work once, later; the function it returns calls that off. */
  after(delayMs: number, work: () => void): () => void;
  onProblem(text: string, error: unknown): void;
}

export class Claims {
  private readonly held = new Map<string, string>();
  private stopRenewing: (() => void) | undefined;

  constructor(private readonly deps: ClaimsDeps) {}

  get count(): number {
    return this.held.size;
  }

  /** The store has given the claim to `holder`. */
  took(key: string, holder: string): void {
    this.held.set(key, holder);
    this.stopRenewing ??= this.deps.after(CLAIM_MS / 3, () => this.renew());
  }

  /** It is given back with the result. */
  settled(key: string, holder: string): void {
    if (this.held.get(key) === holder) this.held.delete(key);
  }

  async giveBack(key: string, holder: string, news: News): Promise<void> {
    if (this.held.get(key) !== holder) return;
    this.held.delete(key);
    await this.deps.store.giveBack(key, holder, news);
  }

  /**
   * Looks (first and after every piece of news) until the key is not held by somebody else. 'failed': the holder has failed.
   * Rejects with the signal's reason when it aborts.
   */
  async whenFree(key: string, look: () => Promise<Lookup>, signal: AbortSignal): Promise<Lookup | 'failed'> {
    const mail = new Mail();
    const stop = await this.deps.store.subscribe(key, (news) => mail.put(news));
    const onAbort = (): void => mail.put('abort');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        const found = await look();
        if (found.state !== 'held') return found;
        const callOff = this.deps.after(found.lapsesMs + MARGIN_MS, () => mail.put('look'));
        const news = await mail.take().finally(callOff);
        if (news === 'failed') return news;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      await stop();
    }
  }

  close(): void {
    this.stopRenewing?.();
    this.held.clear();
  }

  private renew(): void {
    this.stopRenewing = undefined;
    if (this.held.size === 0) return;
    this.stopRenewing = this.deps.after(CLAIM_MS / 3, () => this.renew());
    const claims = [...this.held].map(([key, holder]) => ({ key, holder }));
    this.deps.store.renew(claims).catch((error: unknown) => this.deps.onProblem('claims on results not renewed', error));
  }
}

/** News for one who waits: 'failed' outlives other news, because it is said once. */
class Mail {
  private news: News | 'abort' | undefined;
  private wake: (() => void) | undefined;

  put(news: News | 'abort'): void {
    if (this.news !== 'failed') this.news = news;
    this.wake?.();
  }

  async take(): Promise<News | 'abort'> {
    while (this.news === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
    const { news } = this;
    this.news = undefined;
    return news;
  }
}
