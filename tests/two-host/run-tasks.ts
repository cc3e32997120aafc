/** The tasks of a run as its events tell them, and promises for what a test waits for. */
import { run } from '@weft/contracts';

export class RunTasks {
  private readonly tasks = new Map<string, run.Task>();
  private readonly listeners = new Set<() => void>();
  private broken: unknown;

  constructor(events: AsyncIterable<run.RunEvent>) {
    this.follow(events).catch((error: unknown) => {
      this.broken = error;
      this.tell();
    });
  }

  running(step: string): run.Task[] {
    return [...this.tasks.values()].filter((task) => task.step === step && task.status === run.TaskStatus.RUNNING);
  }

  succeeded(): run.Task[] {
    return [...this.tasks.values()].filter((task) => task.status === run.TaskStatus.SUCCEEDED);
  }

  /** Resolves once `look` finds at least `count` that are `wanted`. Rejects where the run ends before. */
  until(look: () => run.Task[], count: number, wanted: (task: run.Task) => boolean = () => true): Promise<run.Task[]> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look().filter(wanted);
        if (found.length >= count) resolve(found);
        else if (this.broken !== undefined) reject(this.broken);
        else return;
        this.listeners.delete(check);
      };
      this.listeners.add(check);
      check();
    });
  }

  private async follow(events: AsyncIterable<run.RunEvent>): Promise<void> {
    for await (const { event } of events) {
      if (event?.$case !== 'taskStatus' || event.value.task === undefined) continue;
      this.tasks.set(event.value.task.taskId, event.value.task);
      this.tell();
    }
    throw new Error(
      `the run ended; its tasks: ${JSON.stringify([...this.tasks.values()].map(({ step, index, status }) => ({ step, index, status })))}`,
    );
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
