/** What this replica has counted since its start. Plain numbers: what nobody asks for costs next to nothing. */
import type { EngineEvent } from '@weft/engine';
import type { HandledJob } from '@weft/queue';
import type { CommandExecutor, OwnedRun } from '../runs/owned-run.js';

/** Codes come from runners, which others may have written: what looks like no code of ours, and more than these, is counted together. */
const MAX_CODES = 100;
const OTHER_CODE = 'OTHER';

export class Tallies {
  /** Tasks by how they ended; `cached`: by an earlier result. */
  readonly ended = { succeeded: 0, cached: 0, failed: 0, cancelled: 0 };
  /** Attempts that failed and were followed by another, by code. */
  readonly retries = new Map<string, number>();
  /** Tasks that failed for good, by code. */
  readonly failures = new Map<string, number>();
  readonly cacheLookups = { hit: 0, miss: 0 };
  /** Jobs that were taken from the queue, and how long they had waited there, by pool. */
  readonly taken = new Map<string, { jobs: number; waitedMs: number }>();

  /** The executor, counted: whatever tasks answer comes past here. */
  following(executor: CommandExecutor): CommandExecutor {
    return {
      execute: (actor, commands) => executor.execute(actor, commands),
      ending: (actor) => executor.ending(actor),
      stopped: (actor) => executor.stopped(actor),
      applied: (actor, event) => {
        executor.applied(actor, event);
        this.applied(actor, event);
      },
    };
  }

  lookedUp(hit: boolean): void {
    this.cacheLookups[hit ? 'hit' : 'miss'] += 1;
  }

  readonly onHandled = ({ pool, waitedMs }: HandledJob): void => {
    const taken = this.taken.get(pool) ?? { jobs: 0, waitedMs: 0 };
    this.taken.set(pool, { jobs: taken.jobs + 1, waitedMs: taken.waitedMs + Math.max(0, waitedMs) });
  };

  private applied(actor: Pick<OwnedRun, 'state'>, event: EngineEvent): void {
    if (event.type === 'TaskSucceeded') {
      this.ended[event.cached ? 'cached' : 'succeeded'] += 1;
    } else if (event.type === 'TaskFailed') {
      const retried = actor.state.tasks.get(event.taskId)?.status === 'queued';
      add(retried ? this.retries : this.failures, event.failure.code);
      if (!retried) this.ended.failed += 1;
    } else if (event.type === 'TaskCancelled' && actor.state.tasks.get(event.taskId)?.status === 'cancelled') {
      this.ended.cancelled += 1;
    }
  }
}

function add(counts: Map<string, number>, code: string): void {
  const known = counts.has(code) || (/^[A-Z][A-Z0-9_]{0,39}$/.test(code) && counts.size < MAX_CODES);
  const key = known ? code : OTHER_CODE;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
