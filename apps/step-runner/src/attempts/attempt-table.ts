/**
 * The attempts that this runner knows.
 *
 * Invariants:
 *  1. One attempt per (task, attempt), started at most once in this life; asking again attaches.
 *  2. A released attempt stays released: its key is remembered (the last TOMBSTONES of them), its sandbox is not. Once a release has
 *     answered, nothing of the attempt is published any more.
 *  3. An attempt that leaves the queue before it was admitted leaves nothing: asked for again, it queues again.
 */
import { join } from 'node:path';
import type { Admission } from '../admission/admission.js';
import { setTimeout as delay } from 'node:timers/promises';
import type { executor, registry } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import type { TaskRuntime } from '@weft/runtimes';
import { Trash } from '@weft/storage';
import { Adoption, type AdoptionCounts, type AdoptionOptions } from './adoption.js';
import { Attempt } from './attempt.js';
import type { DiskGuard } from '../disk/disk-guard.js';
import type { RunnerFiles } from '../inputs/runner-files.js';
import type { LogKeeper } from '../logs/log-keeper.js';
import { attemptKey, layoutFor, problemOf } from '../sandbox/sandbox-layout.js';

const TOMBSTONES = 10_000;
/** Below the sandbox root; names that begin with a dot are no sandboxes. */
const TRASH = '.trash';
/** Time between two tries to reach a runtime that does not answer when the runner starts. */
const ASK_AGAIN_MS = 1000;

export interface AttemptTableOptions {
  sandboxRoot: string;
  runtimes: readonly TaskRuntime[];
  admission: Admission;
  disk: DiskGuard;
  storage: RunnerFiles;
  logs: LogKeeper;
  onProblem: (text: string, error: unknown) => void;
  /** See AdoptionOptions; default: ASK_AGAIN_MS. */
  pause?: AdoptionOptions['pause'];
}

export class AttemptTable {
  private readonly attempts = new Map<string, Attempt>();
  private readonly tombstones = new Set<string>();
  private readonly releasing = new Set<Promise<void>>();
  private readonly collects = new Map<string, Set<{ stop: AbortController; done: Promise<unknown> }>>();
  private closing = false;

  private readonly adoption: Adoption;
  private readonly trash: Trash;
  private readonly discard: (path: string) => void;
  private readonly forget = (attempt: Attempt): void => {
    const { key } = attempt.context.layout;
    if (this.attempts.get(key) === attempt) this.attempts.delete(key);
    void attempt.cancel(0);
  };

  constructor(private readonly options: AttemptTableOptions) {
    const { pause = (signal) => delay(ASK_AGAIN_MS, undefined, { signal, ref: false }) } = options;
    this.trash = new Trash(join(options.sandboxRoot, TRASH), options.onProblem);
    this.discard = (path) => this.trash.discard(path);
    const { discard, forget } = this;
    this.adoption = new Adoption({ ...options, discard, forget, pause }, this.attempts);
  }

  /** @throws ServiceError INVALID_ARGUMENT, FAILED_PRECONDITION, UNAVAILABLE, RESOURCE_EXHAUSTED */
  execute(spec: executor.TaskSpec): Attempt {
    if (!/^[A-Za-z0-9._-]+$/.test(spec.taskId))
      throw new ServiceError('INVALID_ARGUMENT', `task_id '${spec.taskId}' is not [A-Za-z0-9._-]+`);
    const layout = layoutFor(this.options.sandboxRoot, spec);
    const known = this.attempts.get(layout.key);
    if (this.tombstones.has(layout.key) || known?.released === true) {
      throw new ServiceError('FAILED_PRECONDITION', `attempt ${layout.key} was released`);
    }
    if (known !== undefined) return known;
    if (this.closing) throw new ServiceError('UNAVAILABLE', 'the runner is going down');
    const runtime = this.options.runtimes.find(({ name }) => name === spec.runtime);
    if (runtime === undefined) {
      const names = this.options.runtimes.map(({ name }) => name).join(', ');
      throw new ServiceError('INVALID_ARGUMENT', `there is no runtime '${spec.runtime}' here; there is: ${names}`);
    }
    const problem = problemOf(spec, runtime.containers, layout);
    if (problem !== undefined) throw new ServiceError('INVALID_ARGUMENT', problem);
    const { storage, logs, onProblem, admission, disk } = this.options;
    const excess = spec.reserved && admission.refusal(spec.reserved);
    if (excess !== undefined) throw new ServiceError('RESOURCE_EXHAUSTED', `task ${layout.key} ${excess}`);
    const { discard, forget } = this;
    const attempt = Attempt.begin({ spec, layout, runtime, storage, logs, admission, disk, discard, forget, onProblem });
    this.attempts.set(layout.key, attempt);
    return attempt;
  }

  /** @throws ServiceError NOT_FOUND, FAILED_PRECONDITION */
  collectable(taskId: string, number: number): Attempt {
    const key = attemptKey(taskId, number);
    const attempt = this.attempts.get(key);
    if (attempt === undefined || attempt.released || this.tombstones.has(key))
      throw new ServiceError('NOT_FOUND', `there is no attempt ${key} here`);
    if (!attempt.collectable) throw new ServiceError('FAILED_PRECONDITION', `attempt ${key} has nothing to collect yet`);
    return attempt;
  }

  /** Does something with an attempt's outputs; a release stops it and waits for its end. @throws ServiceError FAILED_PRECONDITION where it did */
  async collecting<T>(taskId: string, number: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const key = attemptKey(taskId, number);
    const stop = new AbortController();
    const done = work(stop.signal);
    const entry = { stop, done };
    const all = this.collects.get(key) ?? new Set();
    this.collects.set(key, all.add(entry));
    try {
      return await done;
    } catch (error) {
      throw stop.signal.aborted ? new ServiceError('FAILED_PRECONDITION', `attempt ${key} was released`) : error;
    } finally {
      all.delete(entry);
      if (all.size === 0) this.collects.delete(key);
    }
  }

  private async stopCollecting(key: string): Promise<void> {
    const all = [...(this.collects.get(key) ?? [])];
    for (const { stop } of all) stop.abort();
    await Promise.allSettled(all.map(({ done }) => done));
  }

  async cancel(taskId: string, number: number, graceMs: number): Promise<void> {
    await this.attempts.get(attemptKey(taskId, number))?.cancel(graceMs);
  }

  /** Cancels and forgets an attempt that still waits for room; any other goes on. */
  withdraw(taskId: string, number: number): void {
    const attempt = this.attempts.get(attemptKey(taskId, number));
    if (attempt?.waiting) this.forget(attempt);
  }

  async release(taskId: string, number: number): Promise<void> {
    const key = attemptKey(taskId, number);
    this.tombstones.add(key);
    if (this.tombstones.size > TOMBSTONES) for (const oldest of this.tombstones) if (this.tombstones.delete(oldest)) break;
    await this.stopCollecting(key);
    const attempt = this.attempts.get(key);
    await attempt?.release();
    this.attempts.delete(key);
  }

  /** For a caller that does not wait: removing a container takes the engine longer than everything else there is to do after a task. */
  releaseSoon(taskId: string, number: number): void {
    const release = this.release(taskId, number)
      .catch((error: unknown) => this.options.onProblem(`cannot release ${attemptKey(taskId, number)}`, error))
      .finally(() => this.releasing.delete(release));
    this.releasing.add(release);
  }

  /** Attempts that are not released and that nobody has followed for more than so many milliseconds, those that are left alone the longest first. */
  unattended(forMs: number, limit: number): registry.Attempt[] {
    return [...this.attempts.values()]
      .filter((attempt) => !attempt.released && attempt.unattendedMs > forMs)
      .sort((a, b) => b.unattendedMs - a.unattendedMs)
      .slice(0, limit)
      .map(({ context: { spec } }) => ({ runId: spec.runId, taskId: spec.taskId, attempt: spec.attempt }));
  }

  /** Takes up what an earlier life of this runner left; see Adoption. */
  adopt(): Promise<AdoptionCounts> {
    return this.adoption.begin();
  }

  /** Ends what cannot outlive the runner; containers run on. */
  async close(): Promise<void> {
    this.closing = true;
    this.adoption.stop();
    for (const attempt of [...this.attempts.values()]) if (attempt.waiting) this.forget(attempt);
    await Promise.all(this.options.runtimes.map((runtime) => runtime.close()));
    const ending = [...this.attempts.values()].filter(({ context }) => !context.runtime.containers);
    await Promise.all([...ending.map((attempt) => attempt.settled()), ...this.releasing]);
    this.options.disk.close();
    await this.trash.close();
  }
}
