/**
 * One attempt on one runner: Execute, follow it to its end, collect its outputs, release its sandbox.
 * The stream may break while the task goes on: the call is made again, once the runner answers again, and attaches to the attempt. A runner
 * that was killed has its grace period to come back, because its containers run on and a second attempt would do their work twice.
 */
import { executor } from '@weft/contracts';
import { callServerStream, callUnary, isServiceError, type Logger, ServiceError } from '@weft/platform';
import type { OutputCollector } from '@weft/tasks';
import type { LogPosition } from '../log/attempt-log.js';
import { collectFailure } from './runner-errors.js';
import { RETURN_GRACE_MS } from '../../placement/runner-pool.js';

const ATTACH_TRIES = 5;
/** TERM, and KILL in time for a tool that ignores it to be gone within two seconds. */
const CANCEL_GRACE_MS = 1_500;
/**
 * How a broken connection looks (CANCELLED: the runner closes); what the runner itself has to say comes with other codes, or again when
 * asked again.
 */
const LOST_STREAM: ReadonlySet<string> = new Set(['UNAVAILABLE', 'INTERNAL', 'CANCELLED']);

export interface ExecutionEvents {
  /** The runner lets it wait: for room, or for what `reason` says. */
  queued(reason: string): void;
  started(handle: string): void;
  preparing(text: string): void;
  /** Where it lies in the stream, as far as the runner says so. */
  log(stream: 'stdout' | 'stderr', data: Uint8Array, position: LogPosition): void;
}

function hearLog({ stream, data, ...position }: executor.Log, on: ExecutionEvents): void {
  on.log(stream === executor.Log_Stream.STDERR ? 'stderr' : 'stdout', data, position);
}

export class TaskExecution {
  private released = false;
  private lost: AbortSignal | undefined;

  constructor(
    private readonly client: executor.ContainerExecutorClient,
    private readonly spec: executor.TaskSpec,
    private readonly logger: Logger,
    /** For a runner that cannot be reached to come back; its tasks are retried elsewhere after that. */
    private readonly returnGraceMs = RETURN_GRACE_MS,
  ) {}

  /**
   * The attempt's end, whatever it is. `cancel` stops the task; `abandon` only stops following it (the task goes on).
   * `lost`: the runner is not heard of any more, whatever the connection looks like: UNAVAILABLE.
   * Rejects with ServiceError where the runner cannot be reached or refuses the task, or when abandoned.
   */
  async run(on: ExecutionEvents, cancel: AbortSignal, abandon: AbortSignal, lost: AbortSignal): Promise<executor.Finished> {
    this.lost = lost;
    const leave = new AbortController();
    const leaveNow = (): void => leave.abort();
    for (const signal of [abandon, lost]) signal.addEventListener('abort', leaveNow, { once: true });
    if (abandon.aborted || lost.aborted) leaveNow();
    try {
      return await this.attend(on, cancel, leave.signal);
    } catch (error) {
      if (!abandon.aborted) this.failIfLost();
      throw error;
    } finally {
      for (const signal of [abandon, lost]) signal.removeEventListener('abort', leaveNow);
    }
  }

  private async attend(on: ExecutionEvents, cancel: AbortSignal, abandon: AbortSignal): Promise<executor.Finished> {
    const stop = (): void => void this.cancel();
    cancel.addEventListener('abort', stop, { once: true });
    if (cancel.aborted) stop();
    try {
      for (let tries = 1; ; tries++) {
        const finished = await this.follow(on, abandon, tries);
        if (finished) return finished;
        await this.reachable(abandon);
        // One that was asked for while the runner was away has not reached it.
        if (cancel.aborted) stop();
      }
    } finally {
      cancel.removeEventListener('abort', stop);
    }
  }

  private async follow(on: ExecutionEvents, signal: AbortSignal, tries: number): Promise<executor.Finished | undefined> {
    let finished: executor.Finished | undefined;
    try {
      const execute = this.client.execute.bind(this.client);
      for await (const { event } of callServerStream<executor.TaskSpec, executor.TaskEvent>(execute, this.spec, { signal })) {
        // Read on to the stream's end: leaving it resets it, and HTTP/2 servers drop a connection with many resets.
        if (event?.$case === 'finished') finished = event.value;
        else if (event?.$case === 'started') on.started(event.value.handle);
        else if (event?.$case === 'queued') on.queued(event.value.reason);
        else if (event?.$case === 'preparing') on.preparing(event.value.text);
        else if (event?.$case === 'log') hearLog(event.value, on);
      }
    } catch (error) {
      if (finished) return finished;
      if (signal.aborted || !isServiceError(error) || !LOST_STREAM.has(error.code) || tries >= ATTACH_TRIES) throw error;
      this.logger.warn({ taskId: this.spec.taskId, err: error }, 'lost the stream of a task; attaching again');
    }
    if (!finished && tries >= ATTACH_TRIES) throw new Error(`the runner ended the stream of task ${this.spec.taskId} without a result`);
    return finished;
  }

  /** Resolves when there is a connection to the runner; rejects with UNAVAILABLE after the grace period, and when abandoned. */
  private reachable(abandon: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const gaveUp = (): void => reject(new ServiceError('CANCELLED', 'abandoned while the runner was away'));
      if (abandon.aborted) return gaveUp();
      abandon.addEventListener('abort', gaveUp, { once: true });
      this.client.waitForReady(Date.now() + this.returnGraceMs, (error) => {
        abandon.removeEventListener('abort', gaveUp);
        if (error) reject(new ServiceError('UNAVAILABLE', `the runner has not come back within ${this.returnGraceMs / 1000} s`));
        else resolve();
      });
    });
  }

  collector(publishTo: string): OutputCollector {
    const { taskId, attempt } = this.spec;
    return {
      collect: async (items, { publish, release }) => {
        const request: executor.CollectRequest = { taskId, attempt, items, publishTo: publish ? publishTo : '', release };
        // A connection that is cut says nothing: without the signal, the call would wait for it as long as TCP does.
        const call = callUnary(this.client, this.client.collect, request, { signal: this.lost });
        const { files } = await call.catch((error: unknown) => {
          this.failIfLost();
          throw collectFailure(error);
        });
        this.released ||= release;
        return files;
      },
    };
  }

  private failIfLost(): void {
    if (this.lost?.aborted) throw new ServiceError('UNAVAILABLE', 'the runner has not been heard of for too long');
  }

  /** Lets the sandbox go, unless collecting the outputs has done so already. */
  async release(): Promise<void> {
    if (this.released) return;
    const { taskId, attempt } = this.spec;
    await callUnary(this.client, this.client.release, { taskId, attempt });
  }

  /** Takes the task out of the runner's queue, if it still waits there. Resolves with whether the runner was reached. */
  withdraw(): Promise<boolean> {
    return this.cancel(true);
  }

  private async cancel(waitingOnly = false): Promise<boolean> {
    const { taskId, attempt } = this.spec;
    try {
      await callUnary(this.client, this.client.cancel, { taskId, attempt, graceMs: CANCEL_GRACE_MS, waitingOnly });
      return true;
    } catch (error) {
      this.logger.warn({ taskId, err: error }, 'cancel did not reach the runner');
      return false;
    }
  }
}
