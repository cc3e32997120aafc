/**
 * Results of earlier tasks, around the execution of one: looked for before, stored after.
 *
 * Invariants:
 *  1. Whoever waits for another task's result holds no room on a runner, and whoever finds one never asked for any.
 *  2. What goes wrong here costs the reuse, never the task: it is logged, and the task is executed.
 *  3. A result is stored after its task's answer is in the run's log, under the key that says what it was really made of: the image that it
 *     ran in, and inputs that are still what they were.
 *  4. A claim ends with the job, whatever becomes of that.
 */
import { type Call, type CallCache, callKey, changesItsInputs, type Surroundings } from '@weft/call-cache';
import type { executor } from '@weft/contracts';
import type { EngineEvent } from '@weft/engine';
import { canonicalJson, isFile, visitFiles } from '@weft/plan';
import type { Logger } from '@weft/platform';
import type { TaskJob } from '@weft/queue';
import { type BoundTask, type PreparedTask, type SandboxLayout, TaskError, type TaskRequest } from '@weft/tasks';
import type { RunContents, Where } from './run-contents.js';
import type { Placement, PlacementRequest, RunnerPool } from '../../placement/runner-pool.js';
import type { Look } from '../slow-look.js';
import { keyOf, layoutOf, onHost, placementOf, publishedTo } from '../task-spec.js';

export interface TaskReuseDeps {
  cache: Pick<CallCache, 'find' | 'keep' | 'giveUp' | 'contents'>;
  contents: Pick<RunContents, 'of'>;
  pool: Pick<RunnerPool, 'likely' | 'place'>;
  logger: Logger;
  dataUri: string;
  /** An earlier result was looked for. */
  onLookedUp?(hit: boolean): void;
}

/** Published files. */
const LOOKED_AT_ONCE = 16;

type Succeeded = Extract<EngineEvent, { type: 'TaskSucceeded' }>;

interface Execution {
  bound: BoundTask;
  where: Where;
  imageId: string;
}

/** What the task is looked for by, and what it must still be when its result is stored. */
interface Identity {
  bound: BoundTask;
  layout: SandboxLayout;
  contained: boolean;
  runnerId: string;
  /** Undefined: what it is to run in is not there yet. */
  programs: Programs | undefined;
  /** With `programs`, or none: results are stored under it, and found, only where they are known. */
  key: string | undefined;
}

type Programs = Record<string, string>;

/** For one job, from its beginning to its end. */
export class TaskReuse {
  private readonly holder: string;
  private foreseen: Identity | undefined;
  private claimed: string | undefined;
  private isAnswered = false;
  private executed: Execution | undefined;
  private request: TaskRequest | undefined;

  constructor(
    private readonly job: TaskJob,
    private readonly deps: TaskReuseDeps,
    /** Told of what goes on after the job has ended; never rejects. */
    private readonly onSettling: (settled: Promise<void>) => void = () => undefined,
  ) {
    this.holder = keyOf(job.taskId, job.attempt);
  }

  /** The task's answer, where an earlier result is it. Otherwise the task is to be executed; identical ones wait for it then. */
  async find(
    request: TaskRequest,
    prepared: PreparedTask,
    attached: PlacementRequest['attached'],
    { signal, look }: { signal: AbortSignal; look: Look },
  ): Promise<Succeeded | undefined> {
    // Of an attempt that began before nobody knows what its inputs were then.
    if (this.job.projectId === undefined || attached !== undefined || changesItsInputs(request)) return undefined;
    this.request = request;
    try {
      this.foreseen = await unlessAborted(this.foresee(request, prepared, { signal, look }), signal);
      if (this.job.options.noCache === true) return undefined;
      const found = await this.findForeseen(request, prepared, this.foreseen, signal);
      if (this.foreseen.key !== undefined) this.deps.onLookedUp?.(found !== undefined);
      return found;
    } catch (error) {
      if (signal.aborted || isTaskError(error)) throw error;
      const level = isAboutInputs(error) ? 'debug' : 'warn';
      this.deps.logger[level]({ err: error, taskId: this.job.taskId }, 'earlier results not looked for; executing');
      return undefined;
    }
  }

  /** The task as it was bound to be looked for, if it is to run with the same paths. */
  boundFor(layout: SandboxLayout): BoundTask | undefined {
    const { foreseen } = this;
    const same =
      foreseen?.layout.workDir === layout.workDir &&
      foreseen.layout.tmpDir === layout.tmpDir &&
      foreseen.layout.inputDir === layout.inputDir;
    return same ? foreseen?.bound : undefined;
  }

  /** The tool has ended and its outputs are published. Resolves when they are known as what they are now: before that nobody is to hear of them. */
  async ran(bound: BoundTask, where: Where, finished: executor.Finished, outputs: Succeeded['outputs']): Promise<void> {
    if (this.foreseen?.key === undefined) return;
    this.executed = { bound, where, imageId: finished.imageId };
    // Those who take them as inputs may be bound before they are stored.
    const below = publishedTo(this.deps.dataUri, this.job);
    const files: { location: string; checksum: string }[] = [];
    visitFiles(outputs, (entry) => {
      const { location } = entry;
      if (isFile(entry) && entry.checksum !== undefined && location?.startsWith(below) === true)
        files.push({ location, checksum: entry.checksum });
    });
    const { contents } = this.deps.cache;
    for (let at = 0; at < files.length; at += LOOKED_AT_ONCE) {
      const some = files.slice(at, at + LOOKED_AT_ONCE);
      await Promise.all(some.map(({ location, checksum }) => contents.justPublished(location, checksum)));
    }
  }

  /** The answer is in the run's log (or nobody wants it any more). Resolves when the result is stored, or the claim given back. */
  answered(answer: EngineEvent): Promise<void> {
    this.isAnswered = true;
    const settled = this.settle(answer);
    this.onSettling(settled);
    return settled;
  }

  /** The job ends here, with an answer or without; harmless after `answered`. */
  async end(): Promise<void> {
    if (this.isAnswered || this.claimed === undefined) return;
    const settled = this.giveUpAnyway();
    this.onSettling(settled);
    await settled;
  }

  private async settle(answer: EngineEvent): Promise<void> {
    try {
      if (answer.type === 'TaskSucceeded' && this.executed !== undefined) await this.keep(answer, this.executed);
      else await this.giveUp(answer.type === 'TaskFailed' && !answer.retryable ? 'failed' : 'look');
    } catch (error) {
      this.deps.logger.warn({ err: error, taskId: this.job.taskId }, 'result not stored');
      await this.giveUpAnyway();
    }
  }

  private async giveUpAnyway(): Promise<void> {
    try {
      await this.giveUp('look');
    } catch (error) {
      this.deps.logger.warn({ err: error, taskId: this.job.taskId }, 'claim on a result not given back; it lapses');
    }
  }

  private async giveUp(news: 'look' | 'failed'): Promise<void> {
    const { claimed } = this;
    this.claimed = undefined;
    if (claimed !== undefined) await this.deps.cache.giveUp(claimed, this.holder, news);
  }

  private async findForeseen(
    request: TaskRequest,
    prepared: PreparedTask,
    foreseen: Identity,
    signal: AbortSignal,
  ): Promise<Succeeded | undefined> {
    const { bound, contained, key } = foreseen;
    if (key === undefined) return undefined;
    const found = await this.lookFor(key, bound, signal);
    if (found !== undefined || foreseen.programs !== undefined) return found;
    // Whoever held the claim before may have fetched what was missing.
    foreseen.programs = await this.programs(bound, this.likely(prepared), prepared.container?.image);
    if (foreseen.programs === undefined) return undefined;
    await this.giveUp('look');
    foreseen.key = await this.keyFor(request, bound, contained, foreseen.programs);
    return foreseen.key === undefined ? undefined : this.lookFor(foreseen.key, bound, signal);
  }

  private async lookFor(key: string, bound: BoundTask, signal: AbortSignal): Promise<Succeeded | undefined> {
    this.claimed = key;
    const found = await this.deps.cache.find(key, this.holder, this.surroundings(bound), signal);
    if (found === undefined) return undefined;
    this.claimed = undefined;
    const { taskId, attempt } = this.job;
    return { type: 'TaskSucceeded', taskId, attempt, outputs: found.outputs, exitCode: found.exitCode, cached: true };
  }

  private async foresee(
    request: TaskRequest,
    prepared: PreparedTask,
    { signal, look }: { signal: AbortSignal; look: Look },
  ): Promise<Identity> {
    const wish = placementOf(this.job, prepared);
    if (this.deps.pool.likely(wish) === undefined) {
      // No runner has registered yet, or none ever could: placing waits for the first, or says so.
      (await this.deps.pool.place({ ...wish, signal })).release();
    }
    const likely = this.deps.pool.likely(wish);
    if (likely === undefined) throw new Error('the runner that had room is gone');
    const { layout, contained } = layoutOf(this.job, prepared, likely);
    const bound = await look(prepared.bind(layout));
    const { runnerId } = likely.runner;
    const identity: Identity = { bound, layout, contained, runnerId, programs: undefined, key: undefined };
    if (!bound.reuse) return identity;
    identity.programs = await this.programs(bound, whereOf(likely, contained), prepared.container?.image);
    identity.key = await look(this.keyFor(request, bound, contained, identity.programs ?? {}));
    return identity;
  }

  private likely(prepared: PreparedTask): Where | undefined {
    const likely = this.deps.pool.likely(placementOf(this.job, prepared));
    return likely && whereOf(likely, layoutOf(this.job, prepared, likely).contained);
  }

  private async programs(
    bound: BoundTask,
    where: Where | undefined,
    image: executor.Image | undefined,
    anew = false,
  ): Promise<Programs | undefined> {
    const { runId } = this.job;
    if (where === undefined) return undefined;
    return this.deps.contents.of(
      { runId, anew },
      where,
      { ...bound.spec, image: where.contained ? image : undefined, ...onHost(this.job, where.contained) },
      sandboxOf(bound, where.contained),
    );
  }

  private keyFor(
    request: TaskRequest,
    bound: BoundTask,
    contained: boolean,
    programs: Programs,
    anew = false,
  ): Promise<string | undefined> {
    const { projectId = '', runId } = this.job;
    const sandbox = sandboxOf(bound, contained);
    const spec = { ...bound.spec, ...onHost(this.job, contained) };
    const call: Call = { projectId, request, bound: { ...bound, spec }, programs, ...(sandbox === undefined ? {} : { sandbox }) };
    const { contents } = this.deps.cache;
    return callKey(call, anew ? contents.anew(runId) : contents.forRun(runId));
  }

  private async keep(answer: Succeeded, { bound, where, imageId }: Execution): Promise<void> {
    const { request, foreseen, holder, claimed } = this;
    if (request === undefined || foreseen?.key === undefined) return this.giveUp('failed');
    const { contained } = where;
    const untouched = bound === foreseen.bound && bound.spec.inputs.every(({ source }) => source?.$case !== 'uri');
    const now = untouched ? foreseen.key : await this.keyFor(request, bound, contained, foreseen.programs ?? {}, true);
    // An input that changed while the task ran: nobody knows which of the two it has seen.
    if (now !== foreseen.key) return this.giveUp('failed');
    const programs = contained ? imageOf(imageId) : await this.programs(bound, where, undefined, true);
    if (programs === undefined) return this.giveUp('failed');
    const asForeseen = foreseen.programs !== undefined && canonicalJson(programs) === canonicalJson(foreseen.programs);
    // So it is with what it ran on the host, where that was looked at before.
    if (!contained && !asForeseen && where.runnerId === foreseen.runnerId) return this.giveUp('failed');
    const key = asForeseen ? now : await this.keyFor(request, bound, contained, programs);
    if (key === undefined) return this.giveUp('failed');
    const { outputs, exitCode = 0 } = answer;
    // Those who wait for a key that is not the result's: for what was missing they are to look again.
    const claim =
      claimed === undefined ? undefined : { key: claimed, news: foreseen.programs === undefined ? ('look' as const) : ('failed' as const) };
    await this.deps.cache.keep({ key, claim, holder, outputs, exitCode }, this.surroundings(bound));
    // Not before: a claim on a result that could not be stored is given back.
    this.claimed = undefined;
  }

  private surroundings({ spec }: BoundTask): Surroundings {
    return { publishedTo: publishedTo(this.deps.dataUri, this.job), inputs: spec.inputs };
  }
}

/** Of a host process; a container's paths are the same for every task. */
function sandboxOf({ spec }: BoundTask, contained: boolean): string | undefined {
  return contained ? undefined : spec.workDir.slice(0, spec.workDir.lastIndexOf('/'));
}

/** Large inputs take their time to be read: a cancel does not wait for that. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new TaskError('CANCELLED', 'cancelled while its inputs were looked at'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function imageOf(imageId: string): Programs | undefined {
  return imageId === '' ? undefined : { image: imageId };
}

export function whereOf({ runner: { runnerId, address }, runtime }: Pick<Placement, 'runner' | 'runtime'>, contained: boolean): Where {
  return { runnerId, address, runtime, contained };
}

/** What storage says of an input, executing says again, to whom it may concern. */
function isAboutInputs(error: unknown): boolean {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return name === 'StorageError' && code !== 'IO' && code !== 'FULL';
}

/** What binding says of the task itself: executing it would say the same. */
function isTaskError(error: unknown): boolean {
  return (error as { name?: unknown }).name === 'TaskError' || (error as { name?: unknown }).name === 'ExpressionError';
}
