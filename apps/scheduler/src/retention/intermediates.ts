/**
 * Removes what a run's tasks published once nothing of it is needed any more: while the run goes on, folder by folder, and at its end
 * everything but its outputs.
 *
 * Invariants:
 *  1. Decided on facts that are in the log, and done only SETTLE_MS later: by then a log that is synced every second is on disk, so that
 *     a store that lost its newest writes never replays a task whose inputs are gone. An actor that stopped meanwhile removes nothing.
 *  2. Runs that failed, are being stopped or were cancelled keep everything.
 *  3. Marking costs each task a bounded amount: it happens when the tasks and shards that ended since the last time pay for it.
 */
import { type EngineEvent, liveLocations, mayLoseFiles, type RunState } from '@weft/engine';
import { type CwlObject, visitFiles, withoutEndSlashes } from '@weft/plan';
import type { Logger } from '@weft/platform';
import type { RunHeader } from '@weft/run-store';
import type { Clock } from '../kernel/clock.js';
import type { CommandExecutor, OwnedRun } from '../runs/owned-run.js';
import type { RunFolders } from './run-folders.js';

const SETTLE_MS = 2_000;
/** Values that may be looked at per ended task or shard: some microseconds. */
const VISITS_PER_TASK = 100;
/** So many folders are looked for before they are removed: after a recovery most are gone. */
const LOOK_FIRST = 16;

export interface IntermediatesDeps {
  folders: RunFolders;
  /** As it is stored now. */
  header(runId: string): Promise<RunHeader | undefined>;
  clock: Clock;
  logger: Logger;
}

interface Sweep {
  /** Folders of tasks that succeeded, not yet known to be needless. */
  candidates: Set<string>;
  /** Needless, to be removed when the timer fires. */
  doomed: string[];
  /** Tasks that succeeded, and shards of done steps at the last marking. */
  succeeded: number;
  doneShards: number;
  /** What the last marking cost. */
  visited: number;
  looked: boolean;
  stopTimer: (() => void) | undefined;
}

export class Intermediates {
  private readonly sweeps = new Map<OwnedRun, Sweep>();
  private readonly working = new Set<Promise<void>>();
  private readonly waiting = new Map<string, { state: RunState; stopTimer: () => void }>();

  constructor(private readonly deps: IntermediatesDeps) {}

  /** The executor, followed: whatever the runs do comes past here. */
  following(executor: CommandExecutor): CommandExecutor {
    return {
      execute: (actor, commands) => executor.execute(actor, commands),
      ending: (actor) => executor.ending(actor),
      applied: (actor, event) => {
        executor.applied(actor, event);
        this.applied(actor, event);
      },
      stopped: (actor) => {
        executor.stopped(actor);
        this.stopped(actor);
      },
    };
  }

  /**
   * Before a run leaves the live store: its outputs stay, as far as it has any, and no whole logs. Mostly that was done when it ended, but
   * whoever was to do it may have died.
   */
  async clear(runId: string, outputs: CwlObject | undefined, log: AsyncGenerator<EngineEvent, void, undefined>): Promise<void> {
    await this.deps.folders.removeLogs(runId);
    const { value: accepted } = await log.next();
    if (accepted?.type === 'RunAccepted' && accepted.options.keepIntermediates) return;
    await this.leaveOnly(runId, outputs, outputsIn(log));
    await this.deps.folders.removeEmpty(runId);
  }

  /** What was decided is done. */
  async close(): Promise<void> {
    for (const [runId, { state, stopTimer }] of this.waiting) {
      stopTimer();
      this.work(runId, () => this.finish(runId, state));
    }
    this.waiting.clear();
    await Promise.all(this.working);
    await this.deps.folders.close();
  }

  private applied(actor: OwnedRun, event: EngineEvent): void {
    if (event.type === 'RunRetried') this.callOff(actor.runId);
    if (event.type !== 'TaskSucceeded' || actor.state.options.keepIntermediates) return;
    const folder = `${event.taskId}.${event.attempt}`;
    const sweep = this.sweepOf(actor);
    sweep.succeeded += 1;
    if (this.foldersOf(actor.runId, locationsIn(event.outputs)).has(folder)) sweep.candidates.add(folder);
    // The event's consequences are in the state; commands are not, but what they need is there too.
    this.mark(actor, sweep);
  }

  private mark(actor: OwnedRun, sweep: Sweep): void {
    const { state, runId } = actor;
    // Only where a step is done, or an iteration, is anything needless that was needed before.
    if (sweep.candidates.size === 0 || state.doneShards === sweep.doneShards || !mayLoseFiles(state)) return;
    const paid = (sweep.succeeded + state.doneShards - sweep.doneShards) * VISITS_PER_TASK;
    if (paid < sweep.visited) return;
    const { locations, visited } = liveLocations(state);
    const needed = this.foldersOf(runId, locations);
    sweep.visited = visited + sweep.candidates.size;
    sweep.succeeded = 0;
    sweep.doneShards = state.doneShards;
    for (const folder of sweep.candidates) {
      if (needed.has(folder)) continue;
      sweep.candidates.delete(folder);
      sweep.doomed.push(folder);
    }
    if (sweep.doomed.length > 0)
      sweep.stopTimer ??= this.deps.clock.after(SETTLE_MS, () => this.work(runId, () => this.sweep(actor, sweep)));
  }

  private async sweep(actor: OwnedRun, sweep: Sweep): Promise<void> {
    sweep.stopTimer = undefined;
    // A log that was cut back has stopped the actor.
    if (actor.isStopped) return;
    const doomed = sweep.doomed.splice(0);
    const there = !sweep.looked && doomed.length > LOOK_FIRST ? new Set(await this.deps.folders.list(actor.runId)) : undefined;
    sweep.looked = true;
    await this.deps.folders.remove(actor.runId, there ? doomed.filter((folder) => there.has(folder)) : doomed);
  }

  private stopped(actor: OwnedRun): void {
    const { state, runId } = actor;
    this.sweeps.get(actor)?.stopTimer?.();
    this.sweeps.delete(actor);
    if (state.phase !== 'ended' || state.final !== 'succeeded' || state.options.keepIntermediates || !this.mayHaveLeft(runId, state))
      return;
    const stopTimer = this.deps.clock.after(SETTLE_MS, () => {
      this.waiting.delete(runId);
      this.work(runId, () => this.finish(runId, state));
    });
    this.waiting.set(runId, { state, stopTimer });
  }

  private callOff(runId: string): void {
    this.waiting.get(runId)?.stopTimer();
    this.waiting.delete(runId);
  }

  /** Whether the run may have published anything beside its outputs. */
  private mayHaveLeft(runId: string, state: RunState): boolean {
    const live = new LiveTrees(locationsIn(state.outputs));
    for (const { taskId, attempt, outputs, cached } of state.tasks.values()) {
      if (attempt > 1 || cached) return true;
      for (const location of locationsIn(outputs)) {
        if (this.deps.folders.folderOf(runId, location) === `${taskId}.${attempt}` && !live.covers(location)) return true;
      }
    }
    return false;
  }

  private async finish(runId: string, { tasks, outputs }: RunState): Promise<void> {
    const header = await this.deps.header(runId);
    if (header?.state !== 'succeeded') return;
    await this.leaveOnly(
      runId,
      outputs,
      [...tasks.values()].map((task) => task.outputs ?? {}),
    );
  }

  /** Folders in which none of the outputs lies go; in the others, what tasks published beside them. */
  private async leaveOnly(
    runId: string,
    outputs: CwlObject | undefined,
    published: Iterable<CwlObject> | AsyncIterable<CwlObject>,
  ): Promise<void> {
    const { folders } = this.deps;
    const locations = locationsIn(outputs);
    const needed = this.foldersOf(runId, locations);
    const live = new LiveTrees(locations);
    const beside: string[] = [];
    for await (const ofTask of needed.size > 0 ? published : []) {
      for (const location of locationsIn(ofTask)) {
        const folder = folders.folderOf(runId, location);
        if (folder !== undefined && needed.has(folder) && !live.covers(location)) beside.push(location);
      }
    }
    await folders.remove(
      runId,
      (await folders.list(runId)).filter((name) => !needed.has(name)),
    );
    await folders.removeLocations(runId, [...new Set(beside)]);
  }

  private sweepOf(actor: OwnedRun): Sweep {
    const known = this.sweeps.get(actor);
    if (known) return known;
    const sweep: Sweep = {
      candidates: new Set(),
      doomed: [],
      succeeded: 0,
      doneShards: 0,
      visited: 0,
      looked: false,
      stopTimer: undefined,
    };
    this.sweeps.set(actor, sweep);
    return sweep;
  }

  private foldersOf(runId: string, locations: Iterable<string>): Set<string> {
    const found = new Set<string>();
    for (const location of locations) {
      const folder = this.deps.folders.folderOf(runId, location);
      if (folder !== undefined) found.add(folder);
    }
    return found;
  }

  /** What could not be removed stays until the run leaves the live store, where it is tried again. */
  private work(runId: string, act: () => Promise<void>): void {
    const doing = act()
      .catch((error: unknown) => this.deps.logger.warn({ err: error, runId }, 'intermediate files not removed'))
      .finally(() => this.working.delete(doing));
    this.working.add(doing);
  }
}

async function* outputsIn(log: AsyncIterable<EngineEvent>): AsyncGenerator<CwlObject, void, undefined> {
  for await (const event of log) if (event.type === 'TaskSucceeded') yield event.outputs;
}

export function locationsIn(value: CwlObject | undefined): Set<string> {
  const found = new Set<string>();
  visitFiles(value, ({ location }) => location !== undefined && found.add(location));
  return found;
}

/** Locations with what lies below them, and the directories above them. */
class LiveTrees {
  private readonly above = new Set<string>();

  constructor(private readonly locations: Set<string>) {
    for (const location of locations) for (const parent of parentsOf(location)) this.above.add(parent);
  }

  /** Whether something of it is needed. */
  covers(location: string): boolean {
    const plain = withoutEndSlashes(location);
    if (this.locations.has(location) || this.locations.has(plain) || this.above.has(plain)) return true;
    return parentsOf(plain).some((parent) => this.locations.has(parent) || this.locations.has(`${parent}/`));
  }
}

function parentsOf(location: string): string[] {
  const parents: string[] = [];
  for (let end = location.lastIndexOf('/'); end > 0 && location[end - 1] !== '/'; end = location.lastIndexOf('/', end - 1)) {
    parents.push(location.slice(0, end));
  }
  return parents;
}
