/**
 * One running (or ended) container.
 *
 * Invariants:
 *  1. Its exit is told once. A connection that breaks on the way tells nothing: the engine is asked again, waited for where it is away, and its
 *     log is read on from where it was.
 *  2. What the engine did to the container, by going down or because somebody told it to, is never taken for the tool's own end: RUNTIME_LOST
 *     (belief.ts, container-events.ts).
 *  3. A cancelled task ends at once where the engine is away; its container goes when the engine is back.
 *  4. A runner that has gone tells nothing and removes nothing: the container is its next life's, which may follow it already.
 *  5. Time that the engine is away ends nobody's time limit: the container may not run.
 */
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { type ExitStatus, type RunningTask, RuntimeFailure, type RuntimeTask } from '../ports.js';
import { afterMs } from '../time-limit.js';
import { doubt } from './belief.js';
import type { ContainerEvents } from './container-events.js';
import { engineHistory, wasStopped } from './engine-history.js';
import type { Engine } from './engine.js';
import { engineFailure, isUnanswered, readEngineError } from './engine-error.js';
import type { ContainerOutput } from './output.js';

/** Time between TERM and KILL where the time limit ends a task. */
const GRACE_MS = 10_000;
/** What a task that was cancelled is said to have exited with where nobody can know. */
const KILLED = 137;

export interface DockerTaskOptions {
  engine: Engine;
  events: ContainerEvents;
  container: Docker.Container;
  task: Pick<RuntimeTask, 'hostStdin' | 'hostStdout' | 'hostStderr'>;
  output: ContainerOutput;
  /** Its output as it comes, on its way to `output`; absent: it was started in an earlier life, and its log is read. */
  attached?: { stream: Readable; drained: Promise<void> };
  /** Told what it waits for when the engine goes; absent: nobody hears it. */
  say?: (text: string) => void;
  /** There is a limit to its memory. */
  limited: boolean;
  /** What is left of the time limit; 0 = none. */
  timeLimitMs: number;
  /** Never rejects. */
  imageId: Promise<string | undefined>;
}

export class DockerTask implements RunningTask {
  readonly handle: string;
  private readonly engine: Engine;
  private readonly container: Docker.Container;
  private stopped: 'cancelled' | 'time-limit' | undefined;
  private ended = false;
  private readonly exit: Promise<ExitStatus>;
  private removed: Promise<void> | undefined;
  private giveUp: () => void = () => undefined;

  constructor(private readonly options: DockerTaskOptions) {
    const { engine, container, timeLimitMs } = options;
    this.engine = engine;
    this.container = container;
    this.handle = container.id;
    const disarm = timeLimitMs > 0 ? afterMs(timeLimitMs, () => void this.stop(GRACE_MS, 'time-limit').catch(() => undefined)) : undefined;
    const givenUp = new Promise<ExitStatus>((resolve) => (this.giveUp = () => resolve({ outcome: 'cancelled', exitCode: KILLED })));
    const ignore = engine.presence.onDeparture(() => {
      if (this.stopped === 'cancelled') this.giveUp();
      else options.say?.(`waiting for ${engine.presence.complaint}`);
    });
    this.exit = Promise.race([this.unlessGone(this.follow()), givenUp]).finally(() => {
      this.ended = true;
      ignore();
      disarm?.();
      options.events.forget(container.id);
    });
    // Whoever waits gets the rejection; where nobody does, it must not end the runner.
    this.exit.catch(() => undefined);
  }

  wait(): Promise<ExitStatus> {
    return this.exit;
  }

  async stop(graceMs: number, reason: 'cancelled' | 'time-limit'): Promise<void> {
    if (reason === 'time-limit') await this.engine.presence.here();
    if (this.ended) return;
    this.stopped ??= reason;
    if (reason === 'cancelled' && !this.engine.presence.isHere) return this.giveUp();
    const settled = this.exit.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([settled, this.signal(graceMs > 0 ? 'SIGTERM' : 'SIGKILL')]);
    const kill = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => void this.signal('SIGKILL').then(resolve, reject), graceMs);
      void settled.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    await Promise.all([kill, settled]);
  }

  remove(): Promise<void> {
    this.removed ??= this.engine.remove(this.container.id);
    return this.removed;
  }

  /** What `work` comes to, as long as the runner is there to hear it. */
  private async unlessGone<T>(work: Promise<T>): Promise<T> {
    await work.catch(() => undefined);
    if (this.engine.presence.closing.aborted) await new Promise<never>(() => undefined);
    return work;
  }

  private async follow(): Promise<ExitStatus> {
    const { attached, output } = this.options;
    try {
      let exitCode = attached === undefined ? await this.catchUp() : await this.attend(attached);
      for (;;) {
        const status = await this.unlessCut(() => this.statusOf(exitCode));
        if (status !== undefined) return status;
        exitCode = await this.catchUp();
      }
    } finally {
      await output.close();
    }
  }

  /** The exit code of a container whose output is attached. */
  private async attend({ stream, drained }: NonNullable<DockerTaskOptions['attached']>): Promise<number> {
    const exited = this.exited();
    const exitCode = await this.unlessCut(async () => {
      const [code] = await Promise.all([exited, drained.then(() => this.drainRest(exited))]);
      return code;
    });
    if (exitCode !== undefined) return exitCode;
    stream.destroy();
    await drained.catch(() => undefined);
    return this.catchUp();
  }

  /** The exit code of a container to which there is no connection (any more): asks until the engine says it. */
  private async catchUp(): Promise<number> {
    for (;;) {
      await this.lookAgain();
      const exitCode = await this.unlessCut(async () => {
        const exited = this.exited();
        await this.drainLog(exited);
        return exited;
      });
      if (exitCode !== undefined) return exitCode;
      await this.engine.moment();
    }
  }

  /** Waits for the engine where it is away. @throws RuntimeFailure RUNTIME_LOST where the task has to be run again */
  private async lookAgain(): Promise<void> {
    const { task } = this.options;
    const { State } = await this.engine
      .ask('follow the container', () => this.container.inspect())
      .catch((error: unknown) => {
        throw waitFailure(error);
      });
    const history = await this.engine.ask('learn what became of the container', () => engineHistory(this.engine.docker, this.container.id));
    const why = doubt({
      status: State.Running ? 'running' : State.Status === 'created' ? 'created' : 'ended',
      exitCode: State.ExitCode,
      fragile: task.hostStdin !== undefined || task.hostStdout !== undefined || task.hostStderr !== undefined,
      ...history,
    });
    if (why !== undefined) throw lost(why);
  }

  private async statusOf(exitCode: number): Promise<ExitStatus> {
    const complaint = exitCode === 127 || exitCode === 126 ? this.options.output.initComplaint : undefined;
    if (complaint !== undefined)
      throw new RuntimeFailure('COMMAND_NOT_FOUND', `the command cannot be started in the image: ${complaint}`, false);
    if (this.stopped !== undefined) return { outcome: this.stopped, exitCode };
    let finishedAt: string | undefined;
    if (exitCode !== 0) {
      const { OOMKilled, FinishedAt } = (await this.container.inspect()).State;
      // Also where it was a child of the tool that the kernel took, and the tool failed over that.
      if (OOMKilled || (await this.memoryWasCause())) return { outcome: 'out-of-memory', exitCode };
      finishedAt = FinishedAt;
    }
    if (this.removed === undefined && (await this.wasStopped(finishedAt))) throw await this.endedByOthers(exitCode);
    const imageId = await this.options.imageId;
    return { outcome: 'exited', exitCode, ...(imageId === undefined ? {} : { imageId }) };
  }

  /** What the engine did not know yet when it told of the end. Only of what failed under a limit: nobody else waits for it. */
  private async memoryWasCause(): Promise<boolean> {
    const { limited, events } = this.options;
    return limited && events.ranOutOfMemory(this.container.id);
  }

  /** An engine that goes down in order ends its containers while it still answers. */
  private async endedByOthers(exitCode: number): Promise<RuntimeFailure> {
    if (!(await this.options.engine.presence.lookAgain())) return lost(`it ended the container (exit code ${exitCode})`);
    return new RuntimeFailure('RUNTIME_LOST', `the container was ended from outside while the task ran (exit code ${exitCode})`, true);
  }

  /** A tool that is told to end may exit with anything, also with 0. */
  private async wasStopped(finishedAt: string | undefined): Promise<boolean> {
    const { events, engine, container } = this.options;
    const known = await events.stopped(container.id);
    if (known !== undefined) return known;
    const until = finishedAt ?? (await container.inspect()).State.FinishedAt;
    return wasStopped(engine.docker, container.id, until).catch((error: unknown) => {
      if (isUnanswered(error)) throw error;
      return false;
    });
  }

  /** Undefined where the connection broke on the way. */
  private async unlessCut<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isUnanswered(error)) throw waitFailure(error);
      await this.engine.presence.look();
      return undefined;
    }
  }

  private exited(): Promise<number> {
    const exited = this.container.wait().then((answer: { StatusCode: number }) => answer.StatusCode);
    exited.catch(() => undefined);
    return exited;
  }

  /** What the log has besides what was taken from it, until the container has ended. */
  private async drainLog(exited: Promise<number>): Promise<void> {
    await this.options.output.drainAgain(await this.log());
    await exited;
    await this.options.output.drainAgain(await this.log());
  }

  /** After the end of the attached output: a tool may close its output and go on, and a connection may break. */
  private async drainRest(exited: Promise<number>): Promise<void> {
    const over = new AbortController();
    const runsOn = await Promise.race([exited.then(() => false), this.engine.moment(over.signal).then(() => true)]);
    over.abort();
    if (runsOn) await this.drainLog(exited);
  }

  private async log(): Promise<Readable> {
    return (await this.container.logs({ follow: true, stdout: true, stderr: true })) as unknown as Readable;
  }

  private async signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    try {
      await this.engine.ask(`stop container ${this.handle}`, () => this.container.kill({ signal }));
    } catch (error) {
      // 404: gone; 409: not running any more.
      const { status } = readEngineError(error);
      if (status !== 404 && status !== 409) throw engineFailure(error, `stop container ${this.handle}`);
    }
  }
}

function lost(why: string): RuntimeFailure {
  return new RuntimeFailure('RUNTIME_LOST', `the Docker engine went away while the task ran: ${why}`, true);
}

function waitFailure(error: unknown): unknown {
  if (error instanceof RuntimeFailure) return error;
  if (readEngineError(error).status === 404)
    return new RuntimeFailure('RUNTIME_LOST', 'the container was removed from outside while the task ran', true);
  return engineFailure(error, 'follow the container');
}
