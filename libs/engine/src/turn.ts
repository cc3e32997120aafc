/**
 * One call of `decide`: the state it works on, the commands it gives out and the work it has still to do.
 *
 * Invariants:
 *  1. Machines hand work to each other here, and know of no other: `decide.ts` says who does what.
 *  2. What can become deep goes on the agenda instead of the stack: a chain of ten thousand skipped steps does not need ten thousand frames.
 *  3. What a run that does not go on must not begin is parked, as data, for a retry.
 */
import type { Command } from './commands.js';
import type { Failure } from './events.js';
import { addRecord, isLive, pathOf, setStatus } from './records.js';
import type { Activation, RunState, StepInstance, TaskRecord, TaskStatus, Work } from './state.js';

/** Does it, whatever the phase. */
export type Perform = (turn: Turn, work: Work) => void;

/** Ends what is under way, and does not begin anything: a run that is failing or being cancelled does it, too. */
const ALWAYS: ReadonlySet<Work['type']> = new Set(['complete', 'beginShards', 'finishLoop', 'finishStep', 'stepDone', 'retryTask']);

export class Turn {
  readonly commands: Command[] = [];
  /** Tasks whose record changed, in order of their first change. */
  readonly changedTasks = new Set<string>();
  /** Why the event had no effect, where it had none. */
  ignored?: string;
  private readonly agenda: Work[] = [];
  private next = 0;

  constructor(
    readonly state: RunState,
    /** When the event was recorded, milliseconds since the epoch. */
    readonly atMs: number,
    private readonly perform: Perform,
  ) {}

  /** Done at once, or parked where the run does not go on. */
  now(work: Work): void {
    if (this.state.phase === 'running' || ALWAYS.has(work.type)) this.perform(this, work);
    else this.state.parked.push(work);
  }

  /** As `now`, after all that is on the agenda. */
  later(work: Work): void {
    this.agenda.push(work);
  }

  runAgenda(): void {
    for (let work = this.agenda[this.next]; work !== undefined; work = this.agenda[this.next]) {
      this.next += 1;
      this.now(work);
    }
    this.agenda.length = 0;
    this.next = 0;
  }

  /** Gives out a command whose answer the run waits for. */
  await(command: Command): void {
    this.state.inFlight += 1;
    this.commands.push(command);
  }

  settled(): void {
    this.state.inFlight -= 1;
  }

  mark(task: TaskRecord, status: TaskStatus): void {
    setStatus(this.state, task, status);
    this.changedTasks.add(task.taskId);
  }

  record(of: Pick<Activation, 'path' | 'index' | 'process' | 'scatterSize'>): TaskRecord {
    const task = addRecord(this.state, of, this.atMs);
    this.changedTasks.add(task.taskId);
    return task;
  }

  /** Records a step's shard that did not run. */
  recordSkipped(step: StepInstance, index: string): void {
    const task = this.record({ path: pathOf(step), index, process: step.step.run, scatterSize: step.shape && step.results.length });
    task.finishedAtMs = this.atMs;
    setStatus(this.state, task, 'skipped');
  }

  /**
   * The first failure decides why the run fails. 'fail-fast': what runs is stopped, nothing new starts, the run ends when all answers
   * are in. 'continue': whatever does not need what failed goes on.
   */
  fail(failure: Failure): void {
    if (this.state.phase !== 'running') return;
    this.state.failure ??= failure;
    if (this.state.options.failureMode === 'continue') return;
    this.state.phase = 'failing';
    this.stopTasks();
  }

  /** Has failed for now: a retry does this again. */
  failAndPark(failure: Failure, again: Work): void {
    this.state.parked.push(again);
    this.fail(failure);
  }

  stopTasks(): void {
    const tasks: { taskId: string; attempt: number }[] = [];
    for (const task of this.state.tasks.values()) {
      if (isLive(task.status) && task.pending && !task.pending.expression) tasks.push({ taskId: task.taskId, attempt: task.attempt });
    }
    if (tasks.length > 0) this.commands.push({ type: 'CancelTasks', tasks });
  }
}
