/**
 * Takes a job from the queue to its end: prepare, look for an earlier result, place, execute, collect, report.
 *
 * Invariants:
 *  1. A job's promise resolves only when its answer is in the run's log (or nobody wants it any more): a dispatcher that dies
 *     before leaves the job to another, which attaches to the same attempt.
 *  2. A placement is given back as soon as the tool has ended; collecting outputs needs no room on the runner.
 *  3. The sandbox of an attempt is released once its answer is decided, whatever it is.
 *  4. What says nothing about the task fails no task: where the store does not answer, the job is handed out again; where another dispatcher
 *     has concluded the attempt, its answer stands, also one that is still on its way to the log.
 */
import type { executor } from '@weft/contracts';
import type { EngineEvent } from '@weft/engine';
import type { CwlObject, Plan } from '@weft/plan';
import { isServiceError, type Logger, ServiceError } from '@weft/platform';
import type { Delivery, TaskJob } from '@weft/queue';
import type { BoundTask, PreparedTask, TaskBuilder, TaskRequest } from '@weft/tasks';
import type { Clock } from '../kernel/clock.js';
import type { TaskCanceller } from '../jobs/task-stopper.js';
import { failureOf } from '../runs/failures.js';
import type { JobInputs } from '../jobs/job-inputs.js';
import type { Seeing } from '../reach/result-reach.js';
import type { AttemptLog } from './log/attempt-log.js';
import { commandText } from './log/command-text.js';
import { answerOf } from './attempt-answer.js';
import type { PlanCache } from '../plans/plan-cache.js';
import type { Placement, PlacementRequest, RunnerPool } from '../placement/runner-pool.js';
import type { TaskExecution } from './runner/task-execution.js';
import type { TaskLogBuffer } from './log/task-log-buffer.js';
import { Preparations, remark } from './log/preparations.js';
import { type Look, slowLook } from './slow-look.js';
import { QueuedElsewhere } from './queued-elsewhere.js';
import { AWAY, CONCLUDED, isRetryable } from './runner/runner-errors.js';
import type { SecretBox } from '../secrets/secret-box.js';
import { type TaskReuse, whereOf } from './reuse/task-reuse.js';
import { changedInPlace, keyOf, layoutOf, onHostNote, placementOf, publishedTo, requestOf, specOf } from './task-spec.js';
import { cutBackNote, withinHints } from '../placement/within-hints.js';

/** Brings an event into the run's log; resolves when it is there or the run has ended. */
export interface Reporter {
  report(runId: string, event: EngineEvent): Promise<void>;
}

/** What the run's log knows of an attempt. */
export interface AttemptLocator {
  /** Where it was begun; 'answered': nobody wants its answer any more. */
  find(job: TaskJob, delivery: Delivery): Promise<{ runnerId: string; runtime: string } | 'answered' | undefined>;
  /** Waits for it to be answered, or for its run to end: true then, and false where `signal` aborts first. */
  answered(job: TaskJob, signal: AbortSignal): Promise<boolean>;
}

/** One attempt on one runner, as the dispatcher follows it. */
export type AttemptExecution = Pick<TaskExecution, 'run' | 'collector' | 'release' | 'withdraw'>;

export interface DispatcherDeps {
  locator: AttemptLocator;
  inputs: Pick<JobInputs, 'whole'>;
  plans: PlanCache;
  /** Looks at what the job's run may see. */
  builder(job: TaskJob): TaskBuilder;
  reach: Pick<Seeing, 'checkValues' | 'checkSpec'>;
  pool: RunnerPool;
  /** One attempt on the runner at an address. */
  execution(address: string, spec: executor.TaskSpec): AttemptExecution;
  secrets: Pick<SecretBox, 'opened'>;
  reporter: Reporter;
  logs: TaskLogBuffer;
  logger: Logger;
  clock: Clock;
  /** Prefix below which outputs are published; ends in '/'. */
  dataUri: string;
  /** Results of earlier tasks, for runs that want them used or replaced; absent where there are none. */
  reuse?: (job: TaskJob) => Reuse;
}

export type Reuse = Pick<TaskReuse, 'find' | 'boundFor' | 'ran' | 'answered' | 'end'>;

/** How often a task that a runner let wait is taken to another, before what the runner says is taken for its end. */
const MAX_MOVES = 8;
/** A dispatcher that has concluded an attempt and does not say so for so long is gone: as long as one may be silent before its jobs go to others. */
const ANSWER_MS = 3_000;

interface Attempt {
  job: TaskJob;
  request: TaskRequest;
  /** Where the attempt was begun by a dispatcher that is gone. */
  attached: PlacementRequest['attached'];
  cancel: AbortSignal;
  abandon: AbortSignal;
  reuse: Reuse | undefined;
  log: AttemptLog;
  look: Look;
  /** Filled in once a runner has been chosen. `inPlace`: what the tool may have changed since it may have begun. */
  placed: { runnerId?: string; inPlace?: string[] };
}

interface Moved {
  /** Absent: wherever there is room. */
  movedTo: Placement | undefined;
}

interface Followed {
  cancel: AbortController;
  /** True once its answer is where it belongs; false where following it was given up. */
  concluded: Promise<boolean>;
}

export class Dispatcher implements TaskCanceller {
  private readonly active = new Map<string, Followed>();

  constructor(private readonly deps: DispatcherDeps) {}

  get activeTasks(): number {
    return this.active.size;
  }

  cancel(taskId: string, attempt: number): boolean {
    const followed = this.active.get(keyOf(taskId, attempt));
    followed?.cancel.abort();
    return followed !== undefined;
  }

  /** Handles one job of the queue. `abandon` aborts when this dispatcher shuts down: the job is handed out again then. */
  async handle(job: TaskJob, abandon: AbortSignal, delivery: Delivery): Promise<void> {
    const key = keyOf(job.taskId, job.attempt);
    // A job whose lock lapsed is handed out once more, perhaps to us: it is followed once, and by the second delivery only if the first gave up.
    for (let before = this.active.get(key); before; before = this.active.get(key)) {
      if (await before.concluded) return;
      if (abandon.aborted) throw new ServiceError('CANCELLED', 'abandoned while it was followed already');
    }
    const cancel = new AbortController();
    const following = this.follow(job, abandon, delivery, cancel.signal).finally(() => this.active.delete(key));
    const concluded = following.then(
      () => true,
      () => false,
    );
    this.active.set(key, { cancel, concluded });
    await following;
  }

  private async follow(queued: TaskJob, abandon: AbortSignal, delivery: Delivery, cancel: AbortSignal): Promise<void> {
    const attached = await this.deps.locator.find(queued, delivery);
    if (attached === 'answered') return;
    const job = await this.deps.inputs.whole(queued);
    // Its run was removed: nobody wants its answer.
    if (job === undefined) return;
    const plan = await this.deps.plans.get(job.planHash);
    const { cache = false, noCache = false } = job.options;
    // What a secret decides is not to be found by its sealed text, which is another each time.
    const reuse = (cache || noCache) && job.options.sealedFor === undefined ? this.deps.reuse?.(job) : undefined;
    const log = this.deps.logs.of(job, attached !== undefined);
    try {
      const answer = await this.attempt(job, plan, { attached, cancel, abandon, reuse, log });
      if (answer.type === 'TaskFailed' && (await this.isAnsweredByOther(job, answer.failure.code, abandon))) return;
      if (answer.type === 'TaskFailed') log.failed();
      await this.deps.logs.flushed(job.runId);
      await this.deps.reporter.report(job.runId, answer);
      void reuse?.answered(answer);
    } finally {
      void reuse?.end();
    }
  }

  /**
   * Of a job that was handed out twice, whoever is faster collects the outputs, and releases the attempt with that: what the other one is
   * told then is no failure of the attempt.
   */
  private async isAnsweredByOther(job: TaskJob, code: string, abandon: AbortSignal): Promise<boolean> {
    const { locator, clock } = this.deps;
    if ((await locator.find(job, { again: true })) === 'answered') return true;
    if (!CONCLUDED.has(code)) return false;
    const tooLong = new AbortController();
    const callOff = clock.after(ANSWER_MS, () => tooLong.abort());
    const answered = await locator.answered(job, AbortSignal.any([tooLong.signal, abandon]));
    callOff();
    if (abandon.aborted && !answered) throw new ServiceError('CANCELLED', 'abandoned while another dispatcher was to answer');
    return answered;
  }

  private async attempt(job: TaskJob, plan: Plan, how: Omit<Attempt, 'job' | 'request' | 'placed' | 'look'>): Promise<EngineEvent> {
    const { taskId, attempt } = job;
    const { cancel, abandon } = how;
    const placed: Attempt['placed'] = {};
    try {
      const request = requestOf(job, plan);
      // Before an earlier result is looked for: a hit would tell what the files hold.
      await this.deps.reach.checkValues(request.inputs, job);
      const look = slowLook(this.deps.clock, request.inputs, (doing) => this.looking(job, how.log, doing));
      const signal = AbortSignal.any([cancel, abandon]);
      const asked = await look(this.deps.builder(job).prepare(request));
      const prepared = await withinHints(this.deps.pool, asked, { ...placementOf(job, asked), signal });
      if (prepared !== asked) how.log.note(cutBackNote(asked.resources, prepared.resources));
      const known = await how.reuse?.find(request, prepared, how.attached, { signal, look });
      return known ?? (await this.runPlaced({ job, request, placed, look, ...how }, prepared));
    } catch (error) {
      if (abandon.aborted) throw error;
      if (cancel.aborted) return { type: 'TaskCancelled', taskId, attempt, ...(placed.inPlace && { inPlace: placed.inPlace }) };
      const failure = failureOf(error, job.step, { plan, process: job.processId });
      return { type: 'TaskFailed', taskId, attempt, ...placed, failure, retryable: isRetryable(error) };
    }
  }

  private async runPlaced(attempt: Attempt, prepared: PreparedTask): Promise<EngineEvent> {
    const { job, attached, cancel, abandon } = attempt;
    const onAway = (why: string): void => attempt.log.note(`waiting for ${why}`);
    const wish = { ...placementOf(job, prepared), onAway, signal: AbortSignal.any([cancel, abandon]) };
    let placement = await this.deps.pool.place({ ...wish, attached });
    for (let moves = 0; ; moves += 1) {
      const end = await this.runOn(placement, attempt, prepared, moves < MAX_MOVES);
      if (!('movedTo' in end)) return end;
      const avoid = [...(wish.avoid ?? []), placement.runner.runnerId];
      placement = end.movedTo ?? (await this.deps.pool.place({ ...wish, avoid }));
    }
  }

  /** One try on one runner: the answer, or where to go, because the runner let it wait and never began it. */
  private async runOn(placement: Placement, attempt: Attempt, prepared: PreparedTask, mayMove: boolean): Promise<EngineEvent | Moved> {
    const { job, cancel, abandon, log } = attempt;
    attempt.placed.runnerId = placement.runner.runnerId;
    let toRelease: AttemptExecution | undefined;
    let queue: QueuedElsewhere | undefined;
    let failed: executor.TaskSpec | undefined;
    try {
      const { layout, contained } = layoutOf(job, prepared, placement);
      const bound = attempt.reuse?.boundFor(layout) ?? (await attempt.look(prepared.bind(layout)));
      const spec = specOf(job, bound, placement, contained, prepared, this.deps.dataUri);
      await this.deps.reach.checkSpec(spec, job);
      const execution = this.deps.execution(placement.runner.address, this.deps.secrets.opened(job.options.sealedFor, spec));
      toRelease = execution;
      if (prepared.container && !contained) log.note(onHostNote(placement));
      const inPlace = changedInPlace(spec);
      const events = this.eventsOf(attempt, placement, inPlace);
      if (inPlace !== undefined) attempt.placed.inPlace = inPlace;
      queue = mayMove ? new QueuedElsewhere(placement, execution) : undefined;
      const finished = await execution.run(queue?.watch(events) ?? events, cancel, abandon, placement.lost);
      placement.release();
      if (queue && !cancel.aborted && queue.neverBegan(finished)) {
        // The runner has forgotten it: there is no sandbox to release, and it may come back to that runner.
        toRelease = undefined;
        delete attempt.placed.inPlace;
        return { movedTo: queue.takePlace() };
      }
      failed = spec;
      const collect = (): Promise<CwlObject> => this.collect(attempt, bound, finished, execution);
      if (!events.begun() && attempt.attached === undefined) delete attempt.placed.inPlace;
      const answer = await answerOf({ ...attempt, ...attempt.placed, bound, finished, collect });
      if (answer.type !== 'TaskSucceeded') return answer;
      failed = undefined;
      await attempt.reuse?.ran(bound, whereOf(placement, contained), finished, answer.outputs);
      return answer;
    } finally {
      placement.release();
      queue?.end();
      if (failed && !cancel.aborted) log.note(commandText(failed));
      if (!abandon.aborted) this.releaseSandbox(toRelease, placement);
    }
  }

  private collect(
    { job, request }: Attempt,
    bound: BoundTask,
    finished: executor.Finished,
    execution: AttemptExecution,
  ): Promise<CwlObject> {
    return this.deps.builder(job).collectOutputs(request, bound, finished, execution.collector(publishedTo(this.deps.dataUri, job)));
  }

  /** Before it has a runner. */
  private looking(job: TaskJob, log: AttemptLog, doing: string): void {
    if (doing !== '') log.note(doing);
    this.tell(job, { type: 'TaskPreparing', taskId: job.taskId, attempt: job.attempt, doing: remark(doing) });
  }

  /** Of what is told on the way, nothing depends on anything. */
  private tell({ runId, taskId }: TaskJob, event: EngineEvent): void {
    this.deps.reporter.report(runId, event).catch((error: unknown) => this.deps.logger.warn({ err: error, taskId }, 'state not recorded'));
  }

  private eventsOf(
    { job, log }: Attempt,
    placement: Placement,
    inPlace: string[] | undefined,
  ): Parameters<AttemptExecution['run']>[0] & { begun(): boolean } {
    const { taskId, attempt } = job;
    const { runnerId } = placement.runner;
    const { runtime } = placement;
    let reported = false;
    let begun = false;
    const told = new Preparations();
    const report = (event: EngineEvent): void => this.tell(job, event);
    return {
      queued: (reason) => {
        if (reason !== '') log.note(reason);
        else if (!placement.ahead) log.note(`waiting for room on runner ${placement.runner.runnerId}`);
      },
      begun: () => begun,
      started: () => {
        begun = true;
        if (reported) return;
        reported = true;
        report({ type: 'TaskStarted', taskId, attempt, runnerId, runtime, ...(inPlace && { inPlace }) });
      },
      preparing: (text) => {
        log.note(text);
        if (!told.isNew(text) && !reported) return;
        // One that has started and is prepared again has lost its start.
        reported = false;
        report({ type: 'TaskPreparing', taskId, attempt, runnerId, runtime, doing: remark(text) });
      },
      log: (stream, data, position) => log.take(stream, data, position),
    };
  }

  private releaseSandbox(execution: AttemptExecution | undefined, placement: Placement): void {
    execution?.release().catch((error: unknown) => {
      this.deps.logger.warn({ err: error }, 'sandbox not released; asking again when its runner is heard of');
      const again = isServiceError(error) && AWAY.has(error.code);
      if (again) this.deps.pool.whenHeard(placement.runner.runnerId, () => this.releaseSandbox(execution, placement));
    });
  }
}
