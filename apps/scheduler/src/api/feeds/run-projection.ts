/**
 * A reader's view of a run: its log replayed through the engine, giving tasks and the public event stream.
 * Any replica can make one; it needs the log and the plan, not the run's owner.
 *
 * Invariant: until it is closed it counts as one more run of its project (run-memory.ts), and is broken off where there is no memory for it.
 */
import type { run as pb } from '@weft/contracts';
import { decide, initialState, type EngineEvent, type RunState } from '@weft/engine';
import type { Plan } from '@weft/plan';
import { ServiceError } from '@weft/platform';
import type { LogEntry } from '@weft/run-store';
import { heldBytes } from '../../runs/memory/event-limits.js';
import type { HeaderBase } from '../../runs/run-header.js';
import { NO_ROOM_MS, type RunMemory, type RunShare } from '../../runs/memory/run-memory.js';
import { engineEvent } from '../../runs/log-events.js';
import { RunTeller } from './run-teller.js';

export class RunProjection {
  readonly state: RunState;
  private readonly teller: RunTeller;

  private readonly share: RunShare;

  constructor(
    private readonly base: HeaderBase,
    plan: Plan,
    memory: Pick<RunMemory, 'begin'>,
  ) {
    this.state = initialState(plan);
    this.teller = new RunTeller(base, this.state);
    this.share = memory.begin(base.projectId, base.planHash, plan);
  }

  /** @throws ServiceError RESOURCE_EXHAUSTED */
  apply(entry: LogEntry): void {
    this.hold(engineEvent(entry));
    decide(this.state, engineEvent(entry), entry.atMs);
  }

  close(): void {
    this.share.end();
  }

  private hold(event: EngineEvent): void {
    const bytes = heldBytes(event);
    if (!this.share.admits(bytes)) {
      const message = `there is no memory to read run ${this.base.runId}: what runs of project '${this.base.projectId}' hold is all that it may`;
      throw new ServiceError('RESOURCE_EXHAUSTED', `${message}; try again later`, undefined, { retryAfterMs: NO_ROOM_MS });
    }
    this.share.add(bytes);
  }

  /** Applies an entry and gives what a watcher is told of it. @throws ServiceError RESOURCE_EXHAUSTED */
  tell(entry: LogEntry): pb.RunEvent[] {
    this.hold(engineEvent(entry));
    const { changedTasks } = decide(this.state, engineEvent(entry), entry.atMs);
    return this.teller.tell({ sequence: entry.sequence, atMs: entry.atMs, type: entry.event.type, changedTasks });
  }
}
