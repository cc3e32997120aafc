/** One running (or ended) container. */
import type Docker from 'dockerode';
import { type ExitStatus, type RunningTask, RuntimeFailure } from '../ports.js';
import { afterMs } from '../time-limit.js';
import { engineFailure, readEngineError } from './engine-error.js';
import type { ContainerOutput } from './output.js';

/** Time between TERM and KILL where the time limit ends a task. */
const GRACE_MS = 10_000;
/** Exit codes of processes that a signal ended. */
const SIGNALLED = 128;
/** The engine sends a signal first and records it then, which may be after the end that it brought. */
const SIGNAL_RECORDED_S = 0.5;

export class DockerTask implements RunningTask {
  readonly handle: string;
  private stopped: 'cancelled' | 'time-limit' | undefined;
  private ended = false;
  private readonly exit: Promise<ExitStatus>;
  private removed: Promise<void> | undefined;

  /** @param timeLimitMs what is left of it; 0 = none. @param drained resolves when the output is where it belongs. @param imageId never rejects. */
  constructor(
    private readonly engine: Docker,
    private readonly container: Docker.Container,
    private readonly output: ContainerOutput,
    drained: Promise<void>,
    timeLimitMs: number,
    private readonly imageId: Promise<string | undefined>,
  ) {
    this.handle = container.id;
    const disarm =
      timeLimitMs > 0 ? afterMs(timeLimitMs, () => void this.stop(GRACE_MS, 'time-limit').catch(() => undefined)) : () => undefined;
    this.exit = this.follow(drained).finally(() => {
      this.ended = true;
      disarm();
    });
    // Whoever waits gets the rejection; where nobody does, it must not end the runner.
    this.exit.catch(() => undefined);
  }

  wait(): Promise<ExitStatus> {
    return this.exit;
  }

  async stop(graceMs: number, reason: 'cancelled' | 'time-limit'): Promise<void> {
    if (this.ended) return;
    this.stopped ??= reason;
    await this.signal(graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    const kill = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => void this.signal('SIGKILL').then(resolve, reject), graceMs);
      const disarm = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.exit.then(disarm, disarm);
    });
    await Promise.all([kill, this.exit.catch(() => undefined)]);
  }

  remove(): Promise<void> {
    this.removed ??= removeContainer(this.container);
    return this.removed;
  }

  private async follow(drained: Promise<void>): Promise<ExitStatus> {
    const exitCode = await this.exitCode(drained);
    const complaint = exitCode === 127 || exitCode === 126 ? this.output.initComplaint : undefined;
    if (complaint !== undefined)
      throw new RuntimeFailure('COMMAND_NOT_FOUND', `the command cannot be started in the image: ${complaint}`, false);
    if (this.stopped !== undefined) return { outcome: this.stopped, exitCode };
    if (exitCode !== 0) {
      const { OOMKilled, FinishedAt } = await this.state();
      // Also where it was a child of the tool that the kernel took, and the tool failed over that.
      if (OOMKilled) return { outcome: 'out-of-memory', exitCode };
      if (exitCode > SIGNALLED && this.removed === undefined && (await this.killedBefore(FinishedAt)))
        throw new RuntimeFailure('INTERNAL', `the container was killed from outside while the task ran (exit code ${exitCode})`, true);
    }
    const imageId = await this.imageId;
    return { outcome: 'exited', exitCode, ...(imageId === undefined ? {} : { imageId }) };
  }

  private async exitCode(drained: Promise<void>): Promise<number> {
    try {
      const [{ StatusCode }] = (await Promise.all([this.container.wait(), drained])) as [{ StatusCode: number }, void];
      return StatusCode;
    } catch (error) {
      throw waitFailure(error);
    }
  }

  private async state(): Promise<{ OOMKilled: boolean; FinishedAt: string }> {
    try {
      return (await this.container.inspect()).State;
    } catch (error) {
      throw waitFailure(error);
    }
  }

  /** Whether somebody had the engine send the container a signal: a tool that ends itself with such an exit code needs nobody for it. */
  private async killedBefore(finishedAt: string): Promise<boolean> {
    const filters = JSON.stringify({ type: ['container'], container: [this.container.id], event: ['kill'] });
    const until = Date.parse(finishedAt) / 1000 + SIGNAL_RECORDED_S;
    try {
      const events = (await this.engine.getEvents({ since: 1, until, filters })) as unknown as AsyncIterable<Uint8Array>;
      for await (const chunk of events) if (chunk.length > 0) return true;
      return false;
    } catch (error) {
      throw engineFailure(error, 'learn what ended the container');
    }
  }

  private async signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    try {
      await this.container.kill({ signal });
    } catch (error) {
      // 404: gone; 409: not running any more.
      const { status } = readEngineError(error);
      if (status !== 404 && status !== 409) throw engineFailure(error, `stop container ${this.handle}`);
    }
  }
}

/** Resolves when the container is gone, whoever removed it. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    const { status } = readEngineError(error);
    if (status === 404) return;
    // Somebody else is removing it.
    if (status === 409) return void (await container.wait({ condition: 'removed' }).catch(() => undefined));
    throw engineFailure(error, `remove container ${container.id}`);
  }
}

function waitFailure(error: unknown): RuntimeFailure {
  if (readEngineError(error).status === 404)
    return new RuntimeFailure('INTERNAL', 'the container was removed from outside while the task ran', true);
  return engineFailure(error, 'follow the container');
}
