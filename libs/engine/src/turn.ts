/**
 * One call of `decide`: the state it works on, the commands it gives out and the work it has still to do.
 * The agenda replaces recursion, so that a chain of ten thousand skipped steps does not need ten thousand stack frames.
 */
import type { Command } from './commands.js';
import type { Failure } from './events.js';
import { setStatus, type Parked, type RunState, type TaskRecord, type TaskStatus } from './state.js';

export class Turn {
  readonly commands: Command[] = [];
  /** Tasks whose record changed, in order of their first change. */
  readonly changedTasks = new Set<string>();
  /** Why the event had no effect, where it had none. */
  ignored?: string;
  private readonly agenda: (() => void)[] = [];
  private next = 0;

  constructor(
    readonly state: RunState,
    /** When the event was recorded, milliseconds since the epoch. */
    readonly atMs: number,
  ) {}

  later(work: () => void): void {
    this.agenda.push(work);
  }

  runAgenda(): void {
    for (let work = this.agenda[this.next]; work !== undefined; work = this.agenda[this.next]) {
      this.next += 1;
      work();
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

  /** Runs now, or waits for a retry where the run does not go on. */
  orPark(work: Parked): void {
    if (this.state.phase === 'running') work(this);
    else this.state.parked.push(work);
  }

  /** Has failed for now: a retry tries it again. */
  failAndPark(failure: Failure, again: Parked): void {
    this.state.parked.push(again);
    this.fail(failure);
  }

  stopTasks(): void {
    const tasks: { taskId: string; attempt: number }[] = [];
    for (const task of this.state.tasks.values()) {
      const live = task.status === 'queued' || task.status === 'running';
      if (live && task.pending && !task.pending.expression) tasks.push({ taskId: task.taskId, attempt: task.attempt });
    }
    if (tasks.length > 0) this.commands.push({ type: 'CancelTasks', tasks });
  }
}
