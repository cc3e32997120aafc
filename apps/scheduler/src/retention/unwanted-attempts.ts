/**
 * Of attempts that lie on a runner and that nobody follows: those that nobody will ask for any more. Their sandboxes are what a crash
 * between two steps of a dispatcher, or a release that did not arrive, leaves behind.
 *
 * Invariant: an attempt is unwanted only where the run's log says so: the run has ended or is gone, the attempt was answered, or it was begun
 * on another runner. What is not known is wanted.
 */
import type { registry } from '@weft/contracts';
import { goesOn, type RunState } from '@weft/engine';
import type { Logger } from '@weft/platform';
import { isFinal, type RunReader } from '@weft/run-store';
import { engineEvent } from '../runs/log-events.js';

export interface UnwantedAttemptsDeps {
  reader: Pick<RunReader, 'get' | 'read'>;
  /** The run's state where this replica owns it. */
  stateOf(runId: string): RunState | undefined;
  logger: Logger;
}

type Attempt = registry.Attempt;
/** Where the attempt was begun, or that its answer is known; undefined: nothing is known of it. */
type Fate = { runnerId: string } | 'answered' | undefined;

export class UnwantedAttempts {
  constructor(private readonly deps: UnwantedAttemptsDeps) {}

  /** Never rejects: a heartbeat counts also where this cannot be found out; the attempts are asked for again with the next one. */
  async among(runnerId: string, attempts: readonly Attempt[]): Promise<Attempt[]> {
    const byRun = new Map<string, Attempt[]>();
    for (const attempt of attempts) byRun.set(attempt.runId, [...(byRun.get(attempt.runId) ?? []), attempt]);
    const found = await Promise.all(
      [...byRun].map(([runId, ofRun]) =>
        this.ofRun(runnerId, runId, ofRun).catch((error: unknown) => {
          this.deps.logger.warn({ err: error, runId }, 'not known whether attempts without a follower are wanted');
          return [];
        }),
      ),
    );
    return found.flat();
  }

  private async ofRun(runnerId: string, runId: string, attempts: Attempt[]): Promise<Attempt[]> {
    const state = this.deps.stateOf(runId);
    if (!state) {
      const header = await this.deps.reader.get(runId);
      if (!header || isFinal(header.state)) return attempts;
    }
    const fates = state ? undefined : await this.fatesInLog(runId);
    return attempts.filter((attempt) => {
      const fate = state ? fateIn(state, attempt) : fates?.get(keyOf(attempt));
      return fate === 'answered' || (fate !== undefined && fate.runnerId !== runnerId);
    });
  }

  private async fatesInLog(runId: string): Promise<Map<string, Fate>> {
    const fates = new Map<string, Fate>();
    for (const entry of await this.deps.reader.read(runId, 0)) {
      const event = engineEvent(entry);
      if (!('taskId' in event)) continue;
      const key = keyOf(event);
      if (!goesOn(event)) fates.set(key, 'answered');
      else if (fates.get(key) !== 'answered' && event.runnerId !== undefined) fates.set(key, { runnerId: event.runnerId });
    }
    return fates;
  }
}

function fateIn(state: RunState, { taskId, attempt }: Attempt): Fate {
  const task = state.tasks.get(taskId);
  if (!task || task.attempt < attempt) return undefined;
  if (task.attempt > attempt || (task.status !== 'queued' && task.status !== 'running')) return 'answered';
  return task.runnerId === undefined ? undefined : { runnerId: task.runnerId };
}

function keyOf({ taskId, attempt }: { taskId: string; attempt: number }): string {
  return `${taskId}.${attempt}`;
}
