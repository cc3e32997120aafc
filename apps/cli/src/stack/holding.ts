/**
 * Keeps the claim of a running stack: shows that it lives, and finds out when another has its state.
 *
 * Invariants:
 *  1. Before every beat it looks whether the claim still counts. A holder that was stopped, or whose file system was away, learns first that it
 *     has been followed.
 *  2. A file system that fails for a while loses nobody the claim: only a look that succeeds can.
 */
import type { HeldClaim } from './lock/claims.js';

export class Holding {
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly claim: HeldClaim,
    private readonly everyMs: number,
    private readonly lost: () => void,
  ) {}

  /** The first beat is there when this resolves. */
  async start(): Promise<void> {
    await this.claim.beat();
    this.next();
    // Old claims are of no use; that they could not be removed hurts nobody.
    await this.claim.tidy().catch(() => undefined);
  }

  /** Somebody else may have the state now. */
  async release(): Promise<void> {
    this.end();
    await this.claim.release().catch(() => undefined);
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private next(): void {
    if (this.ended) return;
    this.timer = setTimeout(() => void this.look(), this.everyMs);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    try {
      const counts = await this.claim.stillCounts();
      if (this.ended) return;
      if (!counts) {
        this.end();
        return this.lost();
      }
      await this.claim.beat();
    } catch {
      // The file system is away; the next look tells.
    }
    this.next();
  }
}
