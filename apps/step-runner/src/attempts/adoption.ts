/**
 * Taking up what an earlier life of this runner left: results nobody collected, containers that run or have ended unseen, and rubbish,
 * which goes.
 *
 * Invariants:
 *  1. What may still run is not removed: a sandbox whose task was given to a runtime goes only after that runtime was asked and knows
 *     nothing of the task.
 *  2. A runtime that does not answer is asked until it does. Its attempts are known meanwhile; whoever asks for one waits for it, as long as the
 *     runtime is waited for. What nobody wants any more when it answers is removed.
 *  3. What this life started is left alone, however late the answer comes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { executor } from '@weft/contracts';
import { READ_ONLY_VIEW, type RunningTask, RuntimeFailure, type RuntimeTask, type TaskRuntime } from '@weft/runtimes';
import { systemErrorCode } from '@weft/storage';
import type { Admission } from '../admission/admission.js';
import { Attempt, type AttemptContext } from './attempt.js';
import { DEVICES_FILE, LOSSES_FILE, RESULT_FILE, SPEC_FILE } from './attempt-memory.js';
import type { RunnerFiles } from '../inputs/runner-files.js';
import type { LogKeeper } from '../logs/log-keeper.js';
import { runtimeTaskOf } from './runtime-task.js';
import { attemptKey, layoutAt, type SandboxLayout } from '../sandbox/sandbox-layout.js';
import { resolvePlan } from '../sandbox/stage.js';

export interface AdoptionOptions {
  sandboxRoot: string;
  runtimes: readonly TaskRuntime[];
  storage: RunnerFiles;
  logs: LogKeeper;
  admission: Admission;
  disk: AttemptContext['disk'];
  forget: AttemptContext['forget'];
  onProblem: (text: string, error: unknown) => void;
  /** Makes a sandbox disappear. @throws the system's error */
  discard: (path: string) => void;
  /** Resolves when a runtime that did not answer is to be asked again; rejects when `signal` aborts. */
  pause: (signal: AbortSignal) => Promise<void>;
}

/** How many sandboxes were found and what became of them. */
export interface AdoptionCounts {
  running: number;
  finished: number;
  /** The runtime does not answer yet. */
  waiting: number;
  removed: number;
}

interface Waiting {
  attempt: Attempt;
  runtime: TaskRuntime;
  task: RuntimeTask;
  settle: (running: RunningTask | undefined) => void;
  fail: (error: Error) => void;
}

export class Adoption {
  private readonly waiting = new Map<string, Waiting>();
  /** Keys of attempts whose result is known: a container that is left of one is rubbish. */
  private readonly restored = new Set<string>();
  /** Sandboxes that cannot be taken up; their containers go first. */
  private doomed: { runtime: TaskRuntime; layout: SandboxLayout }[] = [];
  private readonly counts: AdoptionCounts = { running: 0, finished: 0, waiting: 0, removed: 0 };
  private readonly stopped = new AbortController();

  /** @param attempts where attempts are taken up into */
  constructor(
    private readonly options: AdoptionOptions,
    private readonly attempts: Map<string, Attempt>,
  ) {}

  /** Resolves when every runtime was asked once; those that did not answer are asked again in the background. */
  async begin(): Promise<AdoptionCounts> {
    for (const name of sandboxNames(this.options.sandboxRoot)) await this.consider(name);
    await Promise.all(
      this.options.runtimes.map(async (runtime) => {
        if (!(await this.ask(runtime))) void this.askAgain(runtime);
      }),
    );
    return { ...this.counts, waiting: this.waiting.size };
  }

  stop(): void {
    this.stopped.abort();
  }

  private async consider(name: string): Promise<void> {
    const { sandboxRoot, runtimes, storage, logs, admission, disk, discard, forget, onProblem } = this.options;
    const bytes = readIfThere(join(sandboxRoot, name, SPEC_FILE));
    if (bytes === undefined) return this.discard(name);
    const spec = executor.TaskSpec.decode(bytes);
    const layout = layoutAt(sandboxRoot, name, spec);
    const runtime = runtimes.find((candidate) => candidate.name === spec.runtime);
    if (runtime === undefined || layout === undefined) {
      const owner = attemptKey(spec.taskId, spec.attempt);
      onProblem(`the sandbox ${name} is left alone`, new Error(`it belongs to ${owner} in runtime '${spec.runtime}', unknown here`));
      return;
    }
    const { key } = layout;
    try {
      storage.reclaim(key, layout.root);
      const plan = await resolvePlan(spec, layout, runtime, storage, this.stopped.signal);
      const context = { spec, layout, runtime, storage, logs, admission, disk, discard, forget, onProblem };
      const result = readIfThere(join(layout.root, RESULT_FILE));
      if (result !== undefined) {
        this.attempts.set(key, Attempt.restore(context, plan, executor.Finished.decode(result)));
        this.restored.add(key);
        this.counts.finished++;
        return;
      }
      let [settle, fail]: [Waiting['settle'], Waiting['fail']] = [() => undefined, () => undefined];
      const found = new Promise<RunningTask | undefined>((resolve, reject) => ([settle, fail] = [resolve, reject]));
      const losses = Number(readIfThere(join(layout.root, LOSSES_FILE))?.toString() ?? 0);
      const devices = readIfThere(join(layout.root, DEVICES_FILE))?.toString().split('\n') ?? [];
      const attempt = Attempt.adopt(context, { plan, devices, losses }, found);
      this.attempts.set(key, attempt);
      this.waiting.set(key, { attempt, runtime, task: runtimeTaskOf(spec, layout, plan, devices), settle, fail });
    } catch (error) {
      onProblem(`cannot take up the sandbox ${name}`, error);
      this.doomed.push({ runtime, layout });
    }
  }

  /** Whether the runtime answered. */
  private async ask(runtime: TaskRuntime, again = false): Promise<boolean> {
    try {
      await runtime.adopt((key) => this.claim(runtime, key), {
        expected: [...this.waiting.values(), ...this.doomed].some((one) => one.runtime === runtime),
        log: (key) => this.waitingFor(key).attempt.log,
        adopted: (key, task) => {
          this.waitingFor(key).settle(task);
          this.waiting.delete(key);
          this.counts.running++;
        },
      });
    } catch (error) {
      if (!again) this.options.onProblem(`cannot look for tasks of an earlier life in runtime '${runtime.name}'; trying again`, error);
      await this.failOverdue(runtime);
      return false;
    }
    for (const [key, { attempt, settle, runtime: asked }] of this.waiting) {
      if (asked !== runtime) continue;
      this.waiting.delete(key);
      // Where somebody asks for it, it is run again, as if it had never been here.
      if (attempt.wanted) settle(undefined);
      else if (this.attempts.delete(key)) {
        this.options.admission.leave(key);
        this.options.storage.release(key);
        this.discard(basename(attempt.context.layout.root));
      }
    }
    const mine = this.doomed.filter((sandbox) => sandbox.runtime === runtime);
    this.doomed = this.doomed.filter((sandbox) => sandbox.runtime !== runtime);
    for (const { layout } of mine) {
      this.options.storage.release(layout.key);
      this.discard(basename(layout.root));
    }
    return true;
  }

  /** Nobody waits longer for a runtime than it is waited for. */
  private async failOverdue(runtime: TaskRuntime): Promise<void> {
    const { unavailable, expected } = await runtime.probe();
    if (unavailable === undefined || expected === true) return;
    for (const waiting of this.waiting.values())
      if (waiting.runtime === runtime) waiting.fail(new RuntimeFailure('RUNTIME_UNAVAILABLE', unavailable, true));
  }

  private async askAgain(runtime: TaskRuntime): Promise<void> {
    const { signal } = this.stopped;
    for (;;) {
      await this.options.pause(signal).catch(() => undefined);
      if (signal.aborted || (await this.ask(runtime, true))) return;
    }
  }

  private claim(runtime: TaskRuntime, key: string): RuntimeTask | 'keep' | 'remove' {
    const waiting = this.waiting.get(key);
    const attempt = this.attempts.get(key);
    if (waiting?.attempt.finished === true) this.waiting.delete(key);
    else if (waiting?.runtime === runtime) return waiting.task;
    return attempt === undefined || attempt.finished || this.restored.has(key) ? 'remove' : 'keep';
  }

  private waitingFor(key: string): Waiting {
    const waiting = this.waiting.get(key);
    if (waiting === undefined) throw new Error(`'${key}' was adopted, which nobody asked for`);
    return waiting;
  }

  private discard(name: string): void {
    try {
      this.options.discard(join(this.options.sandboxRoot, name));
      this.counts.removed++;
    } catch (error) {
      this.options.onProblem(`cannot remove the sandbox ${name}`, error);
    }
  }
}

function sandboxNames(sandboxRoot: string): string[] {
  return readdirSync(sandboxRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== READ_ONLY_VIEW)
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
