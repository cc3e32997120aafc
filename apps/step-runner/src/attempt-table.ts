/**
 * The attempts that this runner knows.
 *
 * Invariants:
 *  1. One attempt per (task, attempt), started at most once in this life; asking again attaches.
 *  2. A released attempt stays released: its key is remembered (the last TOMBSTONES of them), its sandbox is not.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import type { LogSink, RuntimeTask, TaskRuntime } from '@weft/runtimes';
import { type LocalStorage, removeTree, systemErrorCode } from '@weft/storage';
import { Attempt, type AttemptContext, RESULT_FILE, SPEC_FILE } from './attempt.js';
import { runtimeTaskOf } from './runtime-task.js';
import { attemptKey, layoutOf, problemOf, type StagingPlan } from './sandbox-layout.js';
import { resolvePlan } from './stage.js';
import { StderrTail } from './stderr-tail.js';

const TOMBSTONES = 10_000;

export interface AttemptTableOptions {
  sandboxRoot: string;
  runtimes: readonly TaskRuntime[];
  storage: LocalStorage;
  onProblem: (text: string, error: unknown) => void;
}

interface Remembered {
  context: AttemptContext;
  plan: StagingPlan;
  task: RuntimeTask;
}

export class AttemptTable {
  private readonly attempts = new Map<string, Attempt>();
  private readonly tombstones = new Set<string>();
  private closing = false;

  constructor(private readonly options: AttemptTableOptions) {}

  /** @throws ServiceError INVALID_ARGUMENT, FAILED_PRECONDITION, UNAVAILABLE */
  execute(spec: executor.TaskSpec): Attempt {
    if (!/^[A-Za-z0-9._-]+$/.test(spec.taskId))
      throw new ServiceError('INVALID_ARGUMENT', `task_id '${spec.taskId}' is not [A-Za-z0-9._-]+`);
    const layout = layoutOf(this.options.sandboxRoot, spec.taskId, spec.attempt);
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
    const attempt = Attempt.begin({ spec, layout, runtime, storage: this.options.storage, onProblem: this.options.onProblem });
    this.attempts.set(layout.key, attempt);
    return attempt;
  }

  /** @throws ServiceError NOT_FOUND, FAILED_PRECONDITION */
  collectable(taskId: string, number: number): Attempt {
    const key = attemptKey(taskId, number);
    const attempt = this.attempts.get(key);
    if (attempt === undefined || attempt.released) throw new ServiceError('NOT_FOUND', `there is no attempt ${key} here`);
    if (!attempt.collectable) throw new ServiceError('FAILED_PRECONDITION', `attempt ${key} has nothing to collect yet`);
    return attempt;
  }

  async cancel(taskId: string, number: number, graceMs: number): Promise<void> {
    await this.attempts.get(attemptKey(taskId, number))?.cancel(graceMs);
  }

  async release(taskId: string, number: number): Promise<void> {
    const key = attemptKey(taskId, number);
    this.tombstones.add(key);
    if (this.tombstones.size > TOMBSTONES) for (const oldest of this.tombstones) if (this.tombstones.delete(oldest)) break;
    const attempt = this.attempts.get(key);
    await attempt?.release();
    this.attempts.delete(key);
  }

  /** Takes up what an earlier life of this runner left: running containers, results not collected, and rubbish, which goes. */
  async adopt(): Promise<{ running: number; finished: number; removed: number }> {
    const remembered = new Map<string, Remembered>();
    for (const name of sandboxNames(this.options.sandboxRoot)) {
      const found = await this.remember(name);
      if (found !== undefined) remembered.set(name, found);
    }
    const counts = { running: 0, finished: 0, removed: 0 };
    for (const [key, { context, plan }] of remembered) {
      const result = readIfThere(join(context.layout.root, RESULT_FILE));
      if (result === undefined) continue;
      this.attempts.set(key, Attempt.restore(context, plan, executor.Finished.decode(result)));
      counts.finished++;
    }
    for (const runtime of this.options.runtimes) counts.running += await this.adoptFrom(runtime, remembered);
    for (const name of sandboxNames(this.options.sandboxRoot)) {
      if (this.attempts.has(name)) continue;
      await removeTree(join(this.options.sandboxRoot, name));
      counts.removed++;
    }
    return counts;
  }

  /** Ends what cannot outlive the runner; containers run on. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all(this.options.runtimes.map((runtime) => runtime.close()));
    const ending = [...this.attempts.values()].filter(({ context }) => !context.runtime.containers);
    await Promise.all(ending.map((attempt) => attempt.end()));
  }

  private async adoptFrom(runtime: TaskRuntime, remembered: Map<string, Remembered>): Promise<number> {
    const early = new Map<string, StderrTail>();
    const sinkOf = (key: string): LogSink => {
      const tail = new StderrTail();
      early.set(key, tail);
      return (stream, data) => {
        const attempt = this.attempts.get(key);
        if (attempt !== undefined) return attempt.log(stream, data);
        if (stream === 'stderr') tail.add(data);
      };
    };
    const wanted = (key: string): RuntimeTask | undefined => {
      const found = remembered.get(key);
      return found !== undefined && found.context.runtime === runtime && !this.attempts.has(key) ? found.task : undefined;
    };
    const adopted = await runtime.adopt(wanted, { log: sinkOf });
    for (const { key, task } of adopted) {
      const found = remembered.get(key);
      if (found === undefined) throw new Error(`runtime '${runtime.name}' adopted '${key}', which nobody asked for`);
      this.attempts.set(key, Attempt.adopt(found.context, found.plan, task, early.get(key) ?? new StderrTail()));
    }
    return adopted.length;
  }

  private async remember(name: string): Promise<Remembered | undefined> {
    const bytes = readIfThere(join(this.options.sandboxRoot, name, SPEC_FILE));
    if (bytes === undefined) return undefined;
    try {
      const spec = executor.TaskSpec.decode(bytes);
      const layout = layoutOf(this.options.sandboxRoot, spec.taskId, spec.attempt);
      const runtime = this.options.runtimes.find((candidate) => candidate.name === spec.runtime);
      if (runtime === undefined || layout.key !== name) return undefined;
      const { storage, onProblem } = this.options;
      const plan = await resolvePlan(spec, layout, runtime.containers, storage);
      return { context: { spec, layout, runtime, storage, onProblem }, plan, task: runtimeTaskOf(spec, layout, plan) };
    } catch (error) {
      this.options.onProblem(`cannot take up the sandbox ${name}`, error);
      return undefined;
    }
  }
}

function sandboxNames(sandboxRoot: string): string[] {
  return readdirSync(sandboxRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
