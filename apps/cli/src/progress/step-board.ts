/**
 * The state of a run's steps, derived from its events. Pure.
 * Invariant: a task counts once, in the state its newest event gave; events that are replayed change nothing.
 */
import { type run, status } from '@weft/contracts';

export interface StepState {
  step: string;
  counts: Record<status.TaskStatusWord, number>;
  total: number;
  /** Of those that succeeded, how many were not executed, because an earlier result was used. */
  cached: number;
}

export type StepChange = 'started' | 'finished' | 'none';

type Count = keyof StepState['counts'];

export class StepBoard {
  private readonly steps = new Map<string, StepState>();
  private readonly tasks = new Map<string, Count>();
  /** When each step had its first task running, in that order. */
  private readonly started = new Map<string, number>();
  private readonly scatters = new Set<string>();
  private executed = 0;

  /** Takes a task's new state; says what that means for its step. */
  update(task: run.Task, atMs = 0): { state: StepState; change: StepChange } {
    const { state, now } = this.remember(task);
    if ((now === 'succeeded' && !task.cached) || now === 'failed') this.executed += 1;
    return { state, change: now === undefined ? 'none' : this.changeOf(state, now, atMs) };
  }

  /** Takes a task's state of which nothing is to be said; `now`: where it is new. */
  remember(task: run.Task): { state: StepState; now?: Count } {
    const state = this.stateOf(task.step);
    const before = this.tasks.get(task.taskId);
    const now = status.taskStatusWord(task.status) ?? 'queued';
    if (before === now) return { state };
    if (before !== undefined) state.counts[before] -= 1;
    else if (task.scatterSize === 0) state.total += 1;
    else this.countScatter(state, task);
    state.counts[now] += 1;
    if (task.cached && now === 'succeeded') state.cached += 1;
    this.tasks.set(task.taskId, now);
    return { state, now };
  }

  /** All of a scatter counts from its first task on, also what is to come. */
  private countScatter(state: StepState, { step, index, scatterSize }: run.Task): void {
    const scatter = `${step} ${index.slice(0, index.lastIndexOf('/') + 1)}`;
    if (this.scatters.has(scatter)) return;
    this.scatters.add(scatter);
    state.total += scatterSize;
  }

  /** Steps with a task running, in the order they were met. */
  running(): StepState[] {
    return [...this.steps.values()].filter(({ counts }) => counts.running > 0);
  }

  has(step: string): boolean {
    return this.steps.has(step);
  }

  /** Tasks that are known, those to come of scatters that have begun among them. */
  known(): number {
    return [...this.steps.values()].reduce((sum, { total }) => sum + total, 0);
  }

  /** Tasks that were executed while somebody watched (not remembered, cached or skipped), and since when. */
  pace(): { executed: number; sinceMs: number | undefined } {
    const [sinceMs] = this.started.values();
    return { executed: this.executed, sinceMs };
  }

  /** Undefined where nobody watched it start. */
  startedMs(step: string): number | undefined {
    return this.started.get(step);
  }

  totals(): StepState['counts'] {
    const sum = emptyCounts();
    for (const { counts } of this.steps.values()) for (const key of Object.keys(sum) as Count[]) sum[key] += counts[key];
    return sum;
  }

  /** Tasks that have the results of earlier ones. */
  cached(): number {
    return [...this.steps.values()].reduce((sum, { cached }) => sum + cached, 0);
  }

  private stateOf(step: string): StepState {
    const known = this.steps.get(step);
    if (known !== undefined) return known;
    const state = { step, counts: emptyCounts(), total: 0, cached: 0 };
    this.steps.set(step, state);
    return state;
  }

  private changeOf(state: StepState, now: Count, atMs: number): StepChange {
    if (now === 'running' && !this.started.has(state.step)) {
      this.started.set(state.step, atMs);
      return 'started';
    }
    return now !== 'queued' && now !== 'preparing' && now !== 'running' && endedOf(state) === state.total ? 'finished' : 'none';
  }
}

function emptyCounts(): StepState['counts'] {
  return { queued: 0, preparing: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0 };
}

function endedOf({ counts }: StepState): number {
  return counts.succeeded + counts.skipped + counts.failed + counts.cancelled;
}

/** "3 of 10 done, 2 running, 1 failed": what failed or was stopped is not done. */
export function describeStep(state: StepState): string {
  const { counts, total, cached } = state;
  const done = counts.succeeded + counts.skipped;
  const parts = total === 1 ? [] : [`${done} of ${total} done`];
  if (counts.running > 0 && total > 1) parts.push(`${counts.running} running`);
  if (counts.failed > 0) parts.push(total === 1 ? 'failed' : `${counts.failed} failed`);
  if (counts.cancelled > 0) parts.push(total === 1 ? 'cancelled' : `${counts.cancelled} cancelled`);
  if (counts.skipped > 0) parts.push(total === 1 ? 'skipped' : `${counts.skipped} skipped`);
  if (cached > 0) parts.push(total === 1 ? 'cached' : `${cached} cached`);
  if (parts.length === 0) parts.push(done === 1 ? 'done' : counts.running > 0 ? 'running' : counts.preparing > 0 ? 'preparing' : 'queued');
  return parts.join(', ');
}
