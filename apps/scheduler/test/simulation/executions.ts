/** What runners execute, as the monitor sees it. */
import { executor } from '@weft/contracts';
import type { Monitor } from './monitor.js';
import { timesRetried } from './outcome.js';
import type { RunnerMonitor } from './simulated-runners.js';
import { UNSTABLE } from './tools.js';

export class Executions implements RunnerMonitor {
  /** Begun, by what they give; of those that were cut short nothing follows. */
  private readonly begun = new Map<string, number>();
  private readonly cutShort = new Set<string>();
  private readonly running = new Map<string, { runId: string; taskId: string; attempt: number }>();
  /** Of attempts that have begun. */
  private readonly texts = new Map<string, string>();

  constructor(private readonly monitor: Monitor) {}

  begins(spec: executor.TaskSpec, text: string | undefined): void {
    const { runId, taskId, attempt, argv } = spec;
    const key = `${taskId}.${attempt}`;
    if (text === undefined) {
      const lies = spec.inputs.map(({ source }) => (source?.$case === 'uri' ? source.value : ''));
      if (this.monitor.isOpen(runId, taskId, attempt) && !lies.some((uri) => this.monitor.vandalised.has(uri)))
        this.monitor.violate('a file is there as long as somebody needs it', `${key} finds no ${lies.join(', ')}`);
      return;
    }
    this.texts.set(key, text);
    this.running.set(key, { runId, taskId, attempt });
    const { maxParallelTasks = Infinity } = this.monitor.replay(runId).state.options;
    const wanted = [...this.running.values()].filter((one) => one.runId === runId && this.monitor.isOpen(runId, one.taskId, one.attempt));
    // What a store has forgotten may still be on its way.
    if (wanted.length > maxParallelTasks && this.monitor.cuts === 0)
      this.monitor.violate('a run has no more tasks in flight than it may', `${key} is the ${wanted.length}th, ${maxParallelTasks} may be`);
    if (!UNSTABLE.has(argv[0] ?? '')) this.begun.set(text, (this.begun.get(text) ?? 0) + 1);
  }

  ends({ taskId, attempt }: executor.TaskSpec, { outcome, exitCode }: executor.Finished): void {
    this.running.delete(`${taskId}.${attempt}`);
    const text = this.texts.get(`${taskId}.${attempt}`) ?? '';
    if (outcome === executor.Outcome.EXITED && exitCode === 0) this.monitor.executed.add(text);
    else this.cutShort.add(text);
  }

  isMended(runId: string): boolean {
    return timesRetried(this.monitor.runOf(runId)?.log ?? []) > 0;
  }

  /** For a history without troubles in which every result may be used again. */
  checkSharing(): void {
    for (const [text, times] of this.begun) {
      if (times > 1 && !this.cutShort.has(text))
        this.monitor.violate('identical tasks in flight share one execution', `${text}: ${times} times`);
    }
  }
}
