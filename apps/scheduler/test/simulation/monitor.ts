/**
 * The safety properties of every history, by name. The monitor sees what reaches store and queue, and replays logs by itself: it asks none
 * of the parts it watches.
 */
import { decide, initialState, type EngineEvent, type RunEnded, type RunState } from '@weft/engine';
import { canonicalJson, type CwlObject } from '@weft/plan';
import type { TaskJob } from '@weft/queue';
import type { Lease, LogEntry } from '@weft/run-store';
import { type FakeRunStoreData, Properties } from '@weft/testing';
import type { FakeSlotsData } from '../fake-project-slots.js';

export type Property =
  | 'outputs are those of an undisturbed run'
  | "a task's result is accepted at most once"
  | 'sequence numbers have no gaps'
  | 'RunEnded is there exactly once, and last'
  | 'the end follows from the log'
  | 'no append by a fenced owner'
  | 'no command is acted on before its cause is in the log'
  | 'a task of a limited project is added only with a slot'
  | 'nothing is left behind'
  | 'when faults stop, every run ends';

/** What an undisturbed run of the workflow ends with. */
export type Expected = Pick<RunEnded, 'status' | 'outputs'>;

interface Replay {
  state: RunState;
  read: number;
  /** Attempts the engine asked for, "<task id>.<attempt>". */
  commanded: Set<string>;
  accepted: Map<string, number>;
}

const INFRASTRUCTURE = new Set(['RUNNER_LOST', 'UNAVAILABLE', 'NOT_FOUND', 'FAILED_PRECONDITION']);

export class Monitor extends Properties<Property> {
  private readonly replays = new Map<string, Replay>();
  private readonly granted = new Map<number, number>();

  constructor(
    private readonly store: FakeRunStoreData,
    private readonly slots: FakeSlotsData,
  ) {
    super();
  }

  leased(leases: Lease[]): void {
    for (const { partition, token } of leases) this.granted.set(partition, Math.max(token, this.granted.get(partition) ?? 0));
  }

  appended(lease: Lease, runId: string, accepted: boolean): void {
    const newest = this.granted.get(lease.partition) ?? 0;
    if (accepted && lease.token < newest)
      this.violate('no append by a fenced owner', `${runId} under token ${lease.token}, newest is ${newest}`);
  }

  /** The store loses its newest writes: what follows from the logs is begun again. What had a cause before keeps having had one. */
  cutBack(restore: () => void): void {
    for (const runId of this.store.runs.keys()) this.replay(runId);
    restore();
    for (const [runId, { commanded }] of [...this.replays]) {
      this.replays.delete(runId);
      const replay = this.replay(runId);
      for (const attempt of commanded) replay.commanded.add(attempt);
    }
    this.granted.clear();
    for (const [partition, { token }] of this.store.leases) this.granted.set(partition, token);
  }

  jobsAdded(jobs: TaskJob[], limited = false): void {
    if (limited) this.checkSlots(jobs);
    for (const { runId, taskId, attempt } of jobs) {
      if (this.replay(runId).commanded.has(`${taskId}.${attempt}`)) continue;
      this.violate('no command is acted on before its cause is in the log', `job ${taskId}.${attempt} of ${runId}`);
    }
  }

  private checkSlots(jobs: TaskJob[]): void {
    for (const { runId, taskId, attempt, projectId = '' } of jobs) {
      const task = this.replay(runId).state.tasks.get(taskId);
      // What an owner adds too late is answered, or tried again, already: nobody begins it.
      const current = task?.attempt === attempt && (task.status === 'queued' || task.status === 'running');
      if (current && !this.slots.project(projectId).held.has(`${taskId}.${attempt}`))
        this.violate('a task of a limited project is added only with a slot', `job ${taskId}.${attempt}`);
    }
  }

  /** Of a run that has ended. */
  checkRun(runId: string, expected: Expected): void {
    const run = this.store.runs.get(runId);
    if (!run) return this.violate('when faults stop, every run ends', `${runId} is not there`);
    this.checkShape(runId, run.log);
    const { state, accepted } = this.replay(runId);
    for (const [taskId, times] of accepted) {
      if (times > 1) this.violate("a task's result is accepted at most once", `${taskId} ${times} times`);
    }
    const end = run.log.at(-1)?.event as unknown as RunEnded;
    const { header } = run;
    const told = canonicalJson([header.state, header.outputs, header.tasks.succeeded, header.tasks.known]);
    if (told !== canonicalJson([end.status, end.outputs, state.tally.succeeded, state.tasks.size]))
      this.violate('the end follows from the log', `the header of ${runId} says ${told}`);
    this.checkOutcome(runId, run.log, end, expected);
  }

  private checkShape(runId: string, log: LogEntry[]): void {
    log.forEach(({ sequence }, at) => {
      if (sequence !== at + 1) this.violate('sequence numbers have no gaps', `${runId}: ${sequence} at place ${at + 1}`);
    });
    const ends = log.filter(({ event }) => event.type === 'RunEnded');
    if (ends.length !== 1 || log.at(-1) !== ends[0]) this.violate('RunEnded is there exactly once, and last', `${runId}: ${show(log)}`);
  }

  private checkOutcome(runId: string, log: LogEntry[], end: RunEnded, expected: Expected): void {
    const wrong = (why: string): void => this.violate('outputs are those of an undisturbed run', `${runId}: ${why}; ${show(log)}`);
    if (end.status === 'cancelled') {
      if (!log.some(({ event }) => event.type === 'CancelAsked')) wrong('cancelled, but nobody asked');
    } else if (end.status === 'succeeded') {
      if (canonicalJson([end.status, end.outputs]) !== canonicalJson([expected.status, expected.outputs]))
        wrong(`${canonicalJson(end.outputs)} instead of ${expected.status} ${canonicalJson(expected.outputs)}`);
    } else if (!INFRASTRUCTURE.has(end.failure?.code ?? '') && expected.status !== 'failed') {
      wrong(`failed with ${end.failure?.code} ${end.failure?.message}`);
    } else if (INFRASTRUCTURE.has(end.failure?.code ?? '') && !exhausted(log, end)) {
      wrong(`gave up before the last attempt: ${end.failure?.message}`);
    }
  }

  /** The log as the engine sees it, read as far as it is now. */
  private replay(runId: string): Replay {
    const run = this.store.runs.get(runId);
    const plan = run && this.store.plans.get(run.header.planHash);
    if (!run || !plan) throw new Error(`the simulation has no run ${runId}`);
    const known = this.replays.get(runId) ?? { state: initialState(plan), read: 0, commanded: new Set(), accepted: new Map() };
    this.replays.set(runId, known);
    for (; known.read < run.log.length; known.read++) {
      const entry = run.log[known.read] as LogEntry;
      this.replayEntry(runId, known, entry.event as unknown as EngineEvent, entry.atMs);
    }
    return known;
  }

  private replayEntry(runId: string, replay: Replay, event: EngineEvent, atMs: number): void {
    const { phase, final, outputs } = replay.state;
    if (event.type === 'RunEnded' && (phase !== 'ended' || final !== event.status || !same(outputs, event.outputs)))
      this.violate('the end follows from the log', `${runId} ended ${event.status} while ${phase} ${final ?? ''}`);
    const { commands, ignored } = decide(replay.state, event, atMs);
    if (event.type === 'TaskSucceeded' && ignored === undefined)
      replay.accepted.set(event.taskId, (replay.accepted.get(event.taskId) ?? 0) + 1);
    for (const command of commands) if (command.type === 'RunTask') replay.commanded.add(`${command.taskId}.${command.attempt}`);
  }
}

/** The last attempt that the run's options allow has failed. */
function exhausted(log: LogEntry[], end: RunEnded): boolean {
  const accepted = log[0]?.event as unknown as Extract<EngineEvent, { type: 'RunAccepted' }>;
  return log.some(({ event }) => {
    const { type, taskId, attempt } = event as unknown as Extract<EngineEvent, { type: 'TaskFailed' }>;
    return type === 'TaskFailed' && taskId === end.failure?.taskId && attempt >= accepted.options.maxAttempts;
  });
}

function same(a: CwlObject | undefined, b: CwlObject | undefined): boolean {
  return canonicalJson([a]) === canonicalJson([b]);
}

export function show(log: LogEntry[]): string {
  return log
    .map(({ event }) => [event.type, event['taskId'] ?? event['node'], event['attempt']].filter((part) => part !== undefined).join(' '))
    .join(', ');
}
