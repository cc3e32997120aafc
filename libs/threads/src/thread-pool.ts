/**
 * Work of many owners for a few threads.
 *
 * Invariants:
 *  1. Owners take turns; each may have so many waiting and no more, and so may all of them together, so that one caller's work does not keep
 *     another's from being done, and nobody fills the memory with what waits.
 *  2. Nothing is started before the first task; a thread that has nothing to do for a while ends.
 *  3. A thread that was ended takes nothing but its own task with it.
 */
import type { Transferable } from 'node:worker_threads';
import { type Job, LimitedThread, type Refusals, type ThreadLimits } from './limited-thread.js';

const IDLE_MS = 30_000;

export interface ThreadPoolOptions extends ThreadLimits {
  threads: number;
  /** Tasks of one owner that may wait. */
  waiting: number;
  waitingInAll: number;
  /** Where the thread's program is. */
  locate(): Promise<URL>;
  refusals: Refusals;
}

export class ThreadPool<Task, Answer> {
  private readonly threads = new Set<LimitedThread<Task, Answer>>();
  /** By owner; who was served last stands last. */
  private readonly waiting = new Map<string, Job<Task, Answer>[]>();
  private waitingInAll = 0;
  private readonly idle = new Map<LimitedThread<Task, Answer>, NodeJS.Timeout>();
  private url: Promise<URL> | undefined;
  private closed = false;

  constructor(private readonly options: ThreadPoolOptions) {}

  /** Rejects with one of the refusals. @param transfer what the thread takes over instead of a copy. */
  async run(task: Task, owner: string, transfer: readonly Transferable[] = []): Promise<Answer> {
    const { refusals, waiting, waitingInAll } = this.options;
    if (this.closed) throw refusals.stopping();
    const line = this.waiting.get(owner) ?? [];
    if (line.length >= waiting) throw refusals.tooManyWait(line.length, 'owner');
    if (this.waitingInAll >= waitingInAll) throw refusals.tooManyWait(this.waitingInAll, 'all');
    const answer = new Promise<Answer>((resolve, reject) => line.push({ task, transfer, resolve, reject }));
    // It may be refused while the program is looked for.
    answer.catch(() => undefined);
    this.waitingInAll += 1;
    this.waiting.set(owner, line);
    this.url ??= this.options.locate();
    const url = await this.url.catch((error: unknown) => {
      this.url = undefined;
      this.refuseAll(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    });
    if (url !== undefined) this.dispatch(url);
    return answer;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.refuseAll(this.options.refusals.stopping());
    for (const timer of this.idle.values()) clearTimeout(timer);
    await Promise.all([...this.threads].map((thread) => thread.close()));
  }

  private refuseAll(error: Error): void {
    for (const line of this.waiting.values()) for (const job of line) job.reject(error);
    this.waiting.clear();
    this.waitingInAll = 0;
  }

  private dispatch(url: URL): void {
    while (!this.closed && this.waiting.size > 0) {
      const thread = [...this.threads].find((one) => !one.busy) ?? (this.threads.size < this.options.threads ? this.start(url) : undefined);
      if (thread === undefined) return;
      const job = this.next();
      if (job === undefined) return;
      clearTimeout(this.idle.get(thread));
      this.idle.delete(thread);
      thread.send(job);
    }
  }

  /** Of the owner that has waited longest. */
  private next(): Job<Task, Answer> | undefined {
    for (const [owner, line] of this.waiting) {
      const job = line.shift();
      this.waiting.delete(owner);
      if (line.length > 0) this.waiting.set(owner, line);
      if (job === undefined) continue;
      this.waitingInAll -= 1;
      return job;
    }
    return undefined;
  }

  private start(url: URL): LimitedThread<Task, Answer> {
    const thread = new LimitedThread<Task, Answer>(url, this.options, this.options.refusals, {
      idle: (one) => {
        this.idle.set(one, setTimeout(() => void one.close(), IDLE_MS).unref());
        this.dispatch(url);
      },
      gone: (one) => {
        clearTimeout(this.idle.get(one));
        this.idle.delete(one);
        this.threads.delete(one);
        this.dispatch(url);
      },
    });
    this.threads.add(thread);
    return thread;
  }
}
