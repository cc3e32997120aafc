/**
 * A reader's view of a run: its log replayed through the engine, giving tasks and the public event stream.
 * Any replica can make one; it needs the log and the plan, not the run's owner.
 */
import type { run as pb } from '@weft/contracts';
import { decide, initialState, type RunState } from '@weft/engine';
import type { Plan } from '@weft/plan';
import type { LogEntry } from '@weft/run-store';
import type { HeaderBase } from './run-header.js';
import { engineEvent } from './log-events.js';
import { RunTeller } from './run-teller.js';

export class RunProjection {
  readonly state: RunState;
  private readonly teller: RunTeller;

  constructor(base: HeaderBase, plan: Plan) {
    this.state = initialState(plan);
    this.teller = new RunTeller(base, this.state);
  }

  apply(entry: LogEntry): void {
    decide(this.state, engineEvent(entry), entry.atMs);
  }

  /** Applies an entry and gives what a watcher is told of it. */
  tell(entry: LogEntry): pb.RunEvent[] {
    const { changedTasks } = decide(this.state, engineEvent(entry), entry.atMs);
    return this.teller.tell({ sequence: entry.sequence, atMs: entry.atMs, type: entry.event.type, changedTasks });
  }
}
