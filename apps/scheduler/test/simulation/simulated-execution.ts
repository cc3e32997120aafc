/** What TaskExecution is over gRPC, over the messages of a virtual world. */
import type { executor } from '@weft/contracts';
import { isServiceError, ServiceError } from '@weft/platform';
import type { VirtualProcess } from '@weft/testing';
import type { AttemptExecution } from '../../src/execution/dispatcher.js';
import { keyOf, type SimulatedRunner } from './simulated-runners.js';

/** How long a dispatcher waits for a runner that is away, milliseconds. */
const RETURN_GRACE_MS = 4_000;

type Events = Parameters<AttemptExecution['run']>[0];

export class SimulatedExecution implements AttemptExecution {
  private readonly key: string;

  constructor(
    private readonly process: VirtualProcess,
    private readonly runner: SimulatedRunner,
    private readonly spec: executor.TaskSpec,
  ) {
    this.key = keyOf(spec);
  }

  async run(on: Events, cancel: AbortSignal, abandon: AbortSignal, lost: AbortSignal): Promise<executor.Finished> {
    const stop = (): void => void this.reach('cancel', () => this.runner.cancel(this.key)).catch(() => undefined);
    cancel.addEventListener('abort', stop, { once: true });
    if (cancel.aborted) stop();
    try {
      for (;;) {
        const finished = await this.follow(on, abandon, lost);
        if (finished) return finished;
        if (!(await this.runner.reachable(this.process, RETURN_GRACE_MS)))
          throw new ServiceError('UNAVAILABLE', 'the runner has not come back');
        if (abandon.aborted) throw new ServiceError('CANCELLED', 'abandoned');
        if (cancel.aborted) stop();
      }
    } finally {
      cancel.removeEventListener('abort', stop);
    }
  }

  collector(publishTo: string): ReturnType<AttemptExecution['collector']> {
    return {
      collect: async (_items, { release }) => {
        const collected: executor.CollectedFile[] = [];
        await this.reach('collect', () => {
          collected.push(this.runner.collect(this.key, publishTo));
          if (release) this.runner.release(this.key);
        });
        return collected;
      },
    };
  }

  release(): Promise<void> {
    return this.reach('release', () => this.runner.release(this.key));
  }

  withdraw(): Promise<boolean> {
    return this.reach('withdraw', () => this.runner.cancel(this.key, true)).then(
      () => true,
      () => false,
    );
  }

  /** One Execute call to the end of its stream: undefined where the connection broke. */
  private async follow(on: Events, abandon: AbortSignal, lost: AbortSignal): Promise<executor.Finished | undefined> {
    const left = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        const leave = (signal: AbortSignal, error: ServiceError): void =>
          signal.addEventListener('abort', () => reject(error), { once: true, signal: left.signal });
        leave(abandon, new ServiceError('CANCELLED', 'abandoned'));
        leave(lost, new ServiceError('UNAVAILABLE', 'the runner has not been heard of for too long'));
        this.reach('execute', () => this.open(on, resolve)).catch((error: unknown) => {
          if (isServiceError(error) && error.code === 'UNAVAILABLE') resolve(undefined);
          else reject(error as Error);
        });
      });
    } finally {
      left.abort();
    }
  }

  private open(on: Events, end: (finished: executor.Finished | undefined) => void): void {
    // A stream keeps its order.
    const stream: (() => void)[] = [];
    const hears = (what: string, deliver: () => void): void => {
      stream.push(deliver);
      this.process.receive(() => stream.shift()?.(), `${this.runner.id}: ${this.key} ${what}`);
    };
    this.runner.whenBroken(() => hears('broken off', () => end(undefined)));
    this.runner.execute(this.spec, {
      queued: () => hears('waits', () => on.queued('')),
      started: () => hears('started', () => on.started(this.key)),
      finished: (finished) => hears('finished', () => end(finished)),
    });
  }

  private reach(operation: string, action: () => void): Promise<void> {
    const called = this.process.call(`${operation} ${this.key}`, async () => {
      if (this.runner.away) throw new ServiceError('UNAVAILABLE', `${operation}: the runner is away`);
      action();
    });
    return called.catch((error: unknown) => {
      if (isServiceError(error)) throw error;
      throw new ServiceError('UNAVAILABLE', `${operation}: connection lost`);
    });
  }
}
