/**
 * A task that its runner lets wait, and the place that it gets elsewhere as soon as another runner has room.
 *
 * Invariants:
 *  1. It is withdrawn from its runner only after a place was reserved elsewhere, or because the runner drains, and only while it still waits:
 *     what has begun goes on, and the place is given back.
 *  2. A place that is not taken over by `takePlace` is given back by `end`.
 */
import { executor } from '@weft/contracts';
import type { Placement } from '../placement/runner-pool.js';
import type { ExecutionEvents, TaskExecution } from './runner/task-execution.js';

export class QueuedElsewhere {
  private began = false;
  private place: Placement | undefined;
  private callOff: () => void = () => undefined;

  constructor(
    private readonly placement: Placement,
    private readonly execution: Pick<TaskExecution, 'withdraw'>,
  ) {}

  /** Hears what the runner says on its way to `on`. */
  watch(on: ExecutionEvents): ExecutionEvents {
    return {
      ...on,
      queued: (reason) => {
        on.queued(reason);
        this.callOff = this.placement.waiting((better) => this.move(better));
      },
      preparing: (text) => {
        this.begin();
        on.preparing(text);
      },
      started: (handle) => {
        this.begin();
        on.started(handle);
      },
    };
  }

  /** Whether it ended without anything having been done for it. */
  neverBegan(finished: executor.Finished): boolean {
    return !this.began && finished.outcome === executor.Outcome.CANCELLED;
  }

  takePlace(): Placement | undefined {
    const { place } = this;
    this.place = undefined;
    return place;
  }

  end(): void {
    this.callOff();
    this.takePlace()?.release();
  }

  private begin(): void {
    this.began = true;
    this.end();
  }

  private move(better: Placement | undefined): void {
    this.place = better;
    // A runner that cannot be reached now may have begun it: the place is not kept for that long.
    void this.execution.withdraw().then((reached) => {
      if (!reached) this.takePlace()?.release();
    });
  }
}
