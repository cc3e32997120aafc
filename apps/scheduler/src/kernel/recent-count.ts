/** How often something happened lately: exactly within the present stretch of time, and of the stretch before in proportion. Needs no timer. */
export class RecentCount {
  private sinceMs: number;
  private before = 0;
  private current = 0;

  constructor(
    private readonly horizonMs: number,
    private readonly nowMs: () => number,
  ) {
    this.sinceMs = nowMs();
  }

  add(): void {
    this.turn();
    this.current += 1;
  }

  /** Within about the last `horizonMs`. */
  get value(): number {
    const passedMs = this.turn();
    return this.current + Math.floor(this.before * (1 - passedMs / this.horizonMs));
  }

  private turn(): number {
    const { horizonMs } = this;
    const passedMs = this.nowMs() - this.sinceMs;
    if (passedMs < horizonMs) return Math.max(0, passedMs);
    this.before = passedMs < 2 * horizonMs ? this.current : 0;
    this.current = 0;
    this.sinceMs += passedMs - (passedMs % horizonMs);
    return passedMs % horizonMs;
  }
}
