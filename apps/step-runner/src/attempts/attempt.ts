/**
 * One attempt while it lives: drives the machine, the sandbox and the runtime, and has its watchers told.
 *
 * Invariants:
 *  1. Every attempt ends in exactly one `finished` event, whatever fails.
 *  2. The tool runs on when nobody watches. While it waits for room, nothing is made for it, and it is forgotten when nobody watches.
 *  3. It holds its share of the runner from before anything is staged until it has finished, but not while it waits for a runtime that is away.
 *  4. What was lost with its runtime is begun again from its inputs, as the same attempt, `MAX_LOSSES` times at most: who goes on asking for it
 *     never counts that, and a task that takes the runtime down with it comes to an end.
 *  5. One that failed because a disk is full holds nothing of it any more.
 */
import { executor } from '@weft/contracts';
import { type Admission, type Admitted, needOf } from '../admission/admission.js';
import { type LogSink, type RunningTask, RuntimeFailure, type TaskRuntime } from '@weft/runtimes';
import type { DiskGuard } from '../disk/disk-guard.js';
import { letGo } from '../disk/let-go.js';
import type { RunnerFiles } from '../inputs/runner-files.js';
import { type AttemptSignal, type AttemptState, decideAttempt, initialAttempt } from './attempt.machine.js';
import { lifeOf } from './attempt-life.js';
import { DEVICES_FILE, LOSSES_FILE, remember, RESULT_FILE, SPEC_FILE } from './attempt-memory.js';
import { InputGuard } from '../sandbox/input-guard.js';
import { AttemptReport } from './attempt-report.js';
import { failedResult, finishedResult } from './attempt-result.js';
import { type SandboxLayout, type StagingPlan, streamFilesOf } from '../sandbox/sandbox-layout.js';
import { makeSandbox, stageInputs } from '../sandbox/stage.js';
import type { LogKeeper } from '../logs/log-keeper.js';
import type { Published } from '../publishing/publisher.js';
import { runtimeTaskOf } from './runtime-task.js';
import { WorkTreeError } from '../work-dir/faults.js';
import { leftBy } from '../work-dir/left-by.js';
import { WorkTree } from '../work-dir/work-tree.js';

const DEFAULT_GRACE_MS = 10_000;
/** Milliseconds after which staging is worth a remark. */
const SLOW_STAGING_MS = 1_000;
/** How often the runtime may go away under one attempt. */
const MAX_LOSSES = 5;

const CANCELLED = executor.Finished.create({ outcome: executor.Outcome.CANCELLED });

export interface AttemptContext {
  spec: executor.TaskSpec;
  layout: SandboxLayout;
  runtime: TaskRuntime;
  admission: Admission;
  disk: DiskGuard;
  /** Takes it out of the table: it waits, and nobody watches any more. */
  forget: (attempt: Attempt) => void;
  storage: RunnerFiles;
  logs: LogKeeper;
  /** Makes a directory disappear. @throws the system's error */
  discard: (path: string) => void;
  onProblem: (text: string, error: unknown) => void;
}

export class Attempt {
  private state: AttemptState = initialAttempt;
  private readonly report: AttemptReport;
  /** How often it was begun again. */
  private losses = 0;
  /** Somebody has asked for it in this life of the runner. */
  wanted = false;
  /** The guard of the disk has ended it. */
  private full: RuntimeFailure | undefined;
  /** What of it was published, by where. */
  readonly published = new Map<string, Published>();
  private running: RunningTask | undefined;
  private onUnwanted: (() => void) | undefined;
  private plan: StagingPlan | undefined;
  private inputs: InputGuard | undefined;
  private devices: readonly string[] = [];
  private graceMs = DEFAULT_GRACE_MS;
  private removal: Promise<void> = Promise.resolve();
  private readonly ended: Promise<void>;
  private begunAt = performance.now();

  private constructor(
    readonly context: AttemptContext,
    run: (attempt: Attempt) => Promise<executor.Finished>,
  ) {
    this.report = new AttemptReport(context, () => {
      if (this.waiting) context.forget(this);
    });
    this.ended = run(this)
      .catch((error: unknown) => this.fail(error))
      .then((finished) => this.finish(finished));
  }

  static begin(context: AttemptContext): Attempt {
    return new Attempt(context, (attempt) => attempt.askAndRun());
  }

  /**
   * Of an earlier life of the runner. @param found it running or ended unseen; undefined: nothing is left of it, so that it runs again; rejects
   * where its runtime is not waited for any longer.
   */
  static adopt(
    context: AttemptContext,
    { plan, devices, losses }: { plan: StagingPlan; devices: readonly string[]; losses: number },
    found: Promise<RunningTask | undefined>,
  ): Attempt {
    return new Attempt(context, async (attempt) => {
      attempt.plan = plan;
      attempt.devices = devices;
      attempt.losses = losses;
      context.admission.adopt(context.layout.key, needOf(context.spec), devices);
      attempt.signal('admitted');
      attempt.report.preparing(`waiting for runtime '${context.runtime.name}' to answer`);
      const unwanted = new Promise<'unwanted'>((resolve) => (attempt.onUnwanted = () => resolve('unwanted')));
      const running = await Promise.race([found, unwanted]);
      if (running === 'unwanted') return CANCELLED;
      if (running === undefined) return attempt.state.stopAsked ? CANCELLED : attempt.prepareAndRun();
      return attempt.untilTold(() => attempt.follow(running));
    });
  }

  /** Of an earlier life of the runner, with the result it wrote down. */
  static restore(context: AttemptContext, plan: StagingPlan, finished: executor.Finished): Attempt {
    return new Attempt(context, (attempt) => {
      attempt.plan = plan;
      return Promise.resolve(finished);
    });
  }

  /** For room on the runner. */
  get waiting(): boolean {
    return this.state.phase === 'waiting' && !this.finished;
  }

  get released(): boolean {
    return this.state.phase === 'released' || this.state.phase === 'releasing';
  }

  /** Milliseconds for which nobody has followed it; 0 where somebody does. */
  get unattendedMs(): number {
    return this.report.unwatchedMs;
  }

  get finished(): boolean {
    return this.report.hasFinished;
  }

  /** What a watcher missed, as far as it is kept, and then what comes. */
  watch(signal: AbortSignal): AsyncIterable<executor.TaskEvent> {
    this.wanted = true;
    return this.report.watch(signal);
  }

  /** Takes a chunk of the tool's log. */
  get log(): LogSink {
    return this.report.log;
  }

  /** Resolves once the tool is stopped. */
  async cancel(graceMs: number): Promise<void> {
    this.wanted = true;
    this.graceMs = graceMs;
    this.signal('cancel');
    await this.ended;
  }

  /** Resolves once the sandbox is gone. */
  async release(): Promise<void> {
    this.wanted = true;
    if (this.state.phase !== 'finished') this.graceMs = 0;
    this.signal('release');
    await this.ended;
    await this.removal;
  }

  /** Resolves once the tool has ended. */
  end(): Promise<void> {
    return this.ended;
  }

  /** Resolves once all of it is where it stays: after the tool has ended, with its log. */
  settled(): Promise<void> {
    return this.ended.then(() => this.removal);
  }

  /** @throws Error where the attempt has not finished */
  workTree(): WorkTree {
    if (!this.finished) throw new Error(`attempt ${this.context.layout.key} left nothing to collect`);
    return this.tree();
  }

  private tree(): WorkTree {
    const { spec, layout, runtime } = this.context;
    if (this.plan === undefined) throw new Error(`attempt ${layout.key} was never staged`);
    return new WorkTree(spec, layout, this.plan, runtime.containers);
  }

  get collectable(): boolean {
    return this.finished && this.plan !== undefined && !this.released;
  }

  private askAndRun(): Promise<executor.Finished> {
    const { runtime, disk } = this.context;
    const on = { preparing: (text: string) => this.report.queued(text), onUnwanted: this.whenUnwanted };
    const absent = runtime.available(on);
    const away = absent === undefined ? disk.available(on) : absent.then(() => disk.available(on));
    return away === undefined ? this.askAndBegin() : this.unlessUnwanted(away.then(() => this.askAndBegin()));
  }

  private askAndBegin(): Promise<executor.Finished> {
    const asked = this.ask();
    if ('devices' in asked) return this.beginAdmitted(asked);
    this.report.queued('');
    return asked.then((admitted) => {
      if (admitted === undefined) return CANCELLED;
      if (this.context.disk.lacks() === undefined) return this.beginAdmitted(admitted);
      // The disk has got full while it waited; others may do with what it was given.
      this.context.admission.leave(this.context.layout.key);
      return this.askAndRun();
    });
  }

  /** For its share of the runner: at once, or when there is room; undefined where it became unwanted before. @throws RuntimeFailure */
  private ask(): Admitted | Promise<Admitted | undefined> {
    const { spec, layout, admission } = this.context;
    let refuse: (error: Error) => void = () => undefined;
    const refused = new Promise<never>((_, reject) => (refuse = reject));
    this.onUnwanted = () => admission.leave(layout.key);
    const asked = admission.ask(layout.key, needOf(spec), (reason) => refuse(new RuntimeFailure('DISK_FULL', `the task ${reason}`, true)));
    return 'devices' in asked ? asked : Promise.race([asked, refused]);
  }

  private beginAdmitted({ devices }: Admitted): Promise<executor.Finished> {
    this.devices = devices;
    this.onUnwanted = undefined;
    this.signal('admitted');
    return this.prepareAndRun();
  }

  private prepareAndRun(): Promise<executor.Finished> {
    return this.untilTold(() => this.prepareAndRunOnce());
  }

  /** Begins again where the runtime went away under it. */
  private async untilTold(first: () => Promise<executor.Finished>): Promise<executor.Finished> {
    for (let next = first; ; next = () => this.prepareAndRunOnce()) {
      try {
        return await next();
      } catch (error) {
        if (!(error instanceof RuntimeFailure) || error.code !== 'RUNTIME_LOST') throw error;
        if (this.state.stopAsked) return CANCELLED;
        if (!(await this.beginAgain(error))) return CANCELLED;
      }
    }
  }

  /** False where it became unwanted meanwhile. */
  private async beginAgain({ message, begun }: RuntimeFailure): Promise<boolean> {
    const { layout, runtime, admission } = this.context;
    if (begun) this.losses += 1;
    if (this.losses > MAX_LOSSES)
      throw new RuntimeFailure('RUNTIME_LOST', `${message}; that was the ${this.losses}th time, and the task is not begun again`, false);
    this.running = undefined;
    this.report.renew();
    this.signal('lost');
    this.report.preparing(begun ? `${message}; the task is begun again (${this.losses} of ${MAX_LOSSES} times)` : message);
    admission.leave(layout.key);
    const back = runtime.available({ preparing: (text) => this.report.preparing(text), onUnwanted: this.whenUnwanted });
    await back?.catch((error: unknown) => {
      if (!this.state.stopAsked) throw error;
    });
    if (this.state.stopAsked) return false;
    const admitted = await this.ask();
    this.onUnwanted = undefined;
    this.devices = admitted?.devices ?? [];
    return admitted !== undefined;
  }

  private readonly whenUnwanted = (act: () => void): void => {
    this.onUnwanted = act;
    if (this.state.stopAsked) act();
  };

  private unlessUnwanted(work: Promise<executor.Finished>): Promise<executor.Finished> {
    return work.catch((error: unknown) => {
      if (this.state.stopAsked) return CANCELLED;
      throw error;
    });
  }

  private async prepareAndRunOnce(): Promise<executor.Finished> {
    const { spec, layout, runtime, storage, discard } = this.context;
    makeSandbox(layout, discard);
    if (runtime.containers) remember(layout, SPEC_FILE, executor.TaskSpec.encode(spec).finish());
    if (runtime.containers && this.devices.length > 0) remember(layout, DEVICES_FILE, Buffer.from(this.devices.join('\n')));
    if (this.losses > 0) remember(layout, LOSSES_FILE, Buffer.from(String(this.losses)));
    const staging = new AbortController();
    this.onUnwanted = () => staging.abort();
    const slow = setTimeout(() => this.report.preparing('staging its inputs'), SLOW_STAGING_MS);
    const staged = stageInputs(spec, layout, runtime, storage, staging.signal).finally(() => clearTimeout(slow));
    this.plan = await staged.catch((error: unknown) => {
      if (this.state.stopAsked) return undefined;
      throw error;
    });
    if (this.plan === undefined || this.state.stopAsked) return CANCELLED;
    if (!runtime.containers) this.inputs = InputGuard.over(this.plan);
    this.begunAt = performance.now();
    const on = { log: this.log, preparing: (text: string) => this.report.preparing(text), onUnwanted: this.whenUnwanted };
    const running = await runtime.start(runtimeTaskOf(spec, layout, this.plan, this.devices), on).catch((error: unknown) => {
      if (this.state.stopAsked) return undefined;
      throw error;
    });
    return running === undefined ? CANCELLED : this.follow(running);
  }

  private async follow(running: RunningTask): Promise<executor.Finished> {
    const { spec, layout, runtime, disk } = this.context;
    this.running = running;
    const begun = this.report.begin(lifeOf(running, runtime, this.losses));
    if (begun !== undefined) await begun;
    this.report.started(running.handle);
    this.signal('started');
    const container = runtime.containers ? running.handle : undefined;
    const taken = { key: layout.key, directory: layout.root, container, reservedBytes: needOf(spec).diskBytes };
    const unwatch = disk.watch({ ...taken, end: (failure) => this.endFor(failure) });
    try {
      const exit = await running.wait();
      await this.report.ended(streamFilesOf(spec, layout).stderr);
      const wallMs = Math.round(performance.now() - this.begunAt);
      unwatch();
      const full = this.full ?? (exit.outcome === 'exited' ? await disk.atEnd(taken, exit.exitCode) : undefined);
      if (full !== undefined && !this.state.stopAsked) throw full;
      const finished = finishedResult(
        exit,
        await leftBy(exit, { spec, layout, inputs: this.inputs, tree: () => this.tree() }),
        this.report.stderrLines(),
        wallMs,
      );
      // The container, which could tell again how it ended, goes next.
      if (runtime.containers) remember(layout, RESULT_FILE, executor.Finished.encode(finished).finish());
      return finished;
    } finally {
      unwatch();
      // Beside the report of the exit, not before it; release waits for it.
      const removal = running.remove().catch((error: unknown) => this.context.onProblem(`cannot remove what ran ${layout.key}`, error));
      this.removal = Promise.all([this.removal, removal]).then(() => undefined);
    }
  }

  private endFor(failure: RuntimeFailure): void {
    this.full = failure;
    this.stop(0);
  }

  private fail(error: unknown): executor.Finished {
    if (!(error instanceof RuntimeFailure) && !(error instanceof WorkTreeError))
      this.context.onProblem(`attempt ${this.context.layout.key} failed unexpectedly`, error);
    const failed = failedResult(error, this.report.stderrLines(), this.report.mask);
    if (failed.failure?.code === 'DISK_FULL') letGo(this.context.layout, this.context);
    return failed;
  }

  private async finish(finished: executor.Finished): Promise<void> {
    this.context.admission.leave(this.context.layout.key);
    await this.report.endLog();
    this.report.finished(finished);
    // Beside the report of the end, not before it; release waits for it.
    this.removal = Promise.all([this.removal, this.report.keepLog()]).then(() => undefined);
    this.signal('finished');
  }

  private signal(signal: AttemptSignal): void {
    const decision = decideAttempt(this.state, signal);
    if ('illegal' in decision) throw new Error(`attempt ${this.context.layout.key}: ${decision.illegal}`);
    this.state = decision.state;
    for (const effect of decision.effects) {
      if (effect === 'abandon') this.onUnwanted?.();
      else if (effect === 'stop') this.stop(this.graceMs);
      else this.removal = this.removal.then(() => this.removeSandbox());
    }
  }

  private stop(graceMs: number): void {
    this.running
      ?.stop(graceMs, 'cancelled')
      .catch((error: unknown) => this.context.onProblem(`cannot stop ${this.context.layout.key}`, error));
  }

  private removeSandbox(): void {
    const { layout, discard } = this.context;
    try {
      this.context.storage.release(layout.key);
      discard(layout.root);
    } catch (error) {
      this.context.onProblem(`cannot remove the sandbox of ${layout.key}`, error);
    }
  }
}
