/**
 * Long inputs that this process has just written: the owner of the run, mostly the same process, asks for them a moment later, and is given what was
 * written instead of its text, which Redis and both threads would carry once more.
 *
 * Invariants: what is given is what reading would give; each is given once; none is kept for longer than KEPT_MS, nor more than KEPT of them.
 */
const KEPT = 4;
const KEPT_MS = 5_000;

export class RecentInputs {
  private readonly kept = new Map<string, { inputs: unknown; timer: NodeJS.Timeout }>();

  /** @param inputs as they were read from the text that was written */
  remember(runId: string, inputs: unknown): void {
    const [oldest] = this.kept.keys();
    if (this.kept.size >= KEPT && oldest !== undefined) this.take(oldest);
    this.kept.set(runId, { inputs, timer: setTimeout(() => this.kept.delete(runId), KEPT_MS).unref() });
  }

  /** Undefined: they are to be read. */
  take(runId: string): unknown {
    const found = this.kept.get(runId);
    if (found === undefined) return undefined;
    clearTimeout(found.timer);
    this.kept.delete(runId);
    return found.inputs;
  }
}
