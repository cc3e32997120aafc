/**
 * Runners of the simulation, and the port through which the dispatcher reaches them.
 *
 * Invariants, as of the executor contract: Execute is idempotent by (task, attempt) while the runner knows the attempt; an attempt is known
 * until it is released or lost with its runner; a cancel that reaches a runner before the attempt does nothing.
 */
import { executor } from '@weft/contracts';
import type { CwlObject } from '@weft/plan';
import { isServiceError, ServiceError } from '@weft/platform';
import type { RunnerRecord } from '@weft/registry';
import type { PreparedTask, TaskBuilder } from '@weft/tasks';
import { aRunner, type VirtualProcess, type VirtualWorld } from '@weft/testing';
import type { AttemptExecution } from '../../src/dispatch/dispatcher.js';
import { toolResult } from './workflows.js';

/** How long a dispatcher waits for a runner that is away, milliseconds. */
const RETURN_GRACE_MS = 4_000;
const LONGEST_TASK_MS = 3_000;

interface SimulatedAttempt {
  finished: executor.Finished | undefined;
  followers: ((finished: executor.Finished) => void)[];
}

export class SimulatedRunner {
  readonly attempts = new Map<string, SimulatedAttempt>();
  private readonly released = new Set<string>();
  private host: VirtualProcess;
  private broken = new Set<() => void>();
  private returned = new Set<() => void>();
  away = false;

  constructor(
    private readonly world: VirtualWorld,
    readonly id: string,
  ) {
    this.host = world.spawn(id);
  }

  get record(): RunnerRecord {
    const process = { name: 'process', version: '1', containers: false, unavailable: '' };
    const capacity = { cores: 2, ramBytes: 2 ** 33, diskBytes: 2 ** 40, gpus: 0 };
    return { ...aRunner({ runnerId: this.id, address: this.id, runtimes: [process], capacity }), lastSeenMs: 0 };
  }

  get running(): number {
    return [...this.attempts.values()].filter(({ finished }) => !finished).length;
  }

  /** It cannot be reached any more. Its tasks run on (and may end unseen), or are lost with it. */
  leave(losesTasks: boolean): void {
    this.away = true;
    if (losesTasks) {
      this.attempts.clear();
      this.released.clear();
      this.host.crash();
      this.host = this.world.spawn(this.id);
    }
    for (const attempt of this.attempts.values()) attempt.followers = [];
    const broken = [...this.broken];
    this.broken.clear();
    for (const tell of broken) tell();
  }

  comeBack(): void {
    this.away = false;
    const returned = [...this.returned];
    this.returned.clear();
    for (const tell of returned) tell();
  }

  /** Starts the attempt or attaches to it. */
  execute(spec: executor.TaskSpec, follow: (finished: executor.Finished) => void): void {
    const key = `${spec.taskId}.${spec.attempt}`;
    if (this.released.has(key)) throw new ServiceError('FAILED_PRECONDITION', `attempt ${key} was released`);
    const known = this.attempts.get(key);
    if (known?.finished) return follow(known.finished);
    if (known) return void known.followers.push(follow);
    this.attempts.set(key, { finished: undefined, followers: [follow] });
    const [tool = '', inputs = '{}'] = spec.argv;
    this.host.clock.after(this.world.random.int(1, LONGEST_TASK_MS), () => {
      const { exitCode } = toolResult(tool, JSON.parse(inputs) as CwlObject, spec.attempt);
      this.finish(key, executor.Finished.create({ outcome: executor.Outcome.EXITED, exitCode }));
    });
  }

  cancel(key: string): void {
    this.finish(key, executor.Finished.create({ outcome: executor.Outcome.CANCELLED }));
  }

  /** A task that runs is stopped; a released attempt stays released. */
  release(key: string): void {
    this.cancel(key);
    this.attempts.delete(key);
    this.released.add(key);
  }

  /** Resolves true when the runner is back, false after the grace period. */
  reachable(process: VirtualProcess): Promise<boolean> {
    if (!this.away) return Promise.resolve(true);
    return new Promise((resolve) => {
      const back = (): void => process.receive(() => resolve(true));
      this.returned.add(back);
      process.clock.after(RETURN_GRACE_MS, () => resolve(false));
    });
  }

  whenBroken(tell: () => void): void {
    this.broken.add(tell);
  }

  private finish(key: string, finished: executor.Finished): void {
    const attempt = this.attempts.get(key);
    if (!attempt || attempt.finished) return;
    attempt.finished = finished;
    for (const tell of attempt.followers.splice(0)) tell(finished);
  }
}

/** What TaskExecution is over gRPC, over the messages of a virtual world. */
export class SimulatedExecution implements AttemptExecution {
  private readonly key: string;

  constructor(
    private readonly process: VirtualProcess,
    private readonly runner: SimulatedRunner,
    private readonly spec: executor.TaskSpec,
  ) {
    this.key = `${spec.taskId}.${spec.attempt}`;
  }

  async run(on: Parameters<AttemptExecution['run']>[0], cancel: AbortSignal, abandon: AbortSignal): Promise<executor.Finished> {
    const stop = (): void => void this.reach('cancel', () => this.runner.cancel(this.key)).catch(() => undefined);
    cancel.addEventListener('abort', stop, { once: true });
    if (cancel.aborted) stop();
    try {
      for (;;) {
        const finished = await this.follow(() => on.started(this.key), abandon);
        if (finished) return finished;
        if (!(await this.runner.reachable(this.process))) throw new ServiceError('UNAVAILABLE', 'the runner has not come back');
        if (abandon.aborted) throw new ServiceError('CANCELLED', 'abandoned');
        if (cancel.aborted) stop();
      }
    } finally {
      cancel.removeEventListener('abort', stop);
    }
  }

  collector(): ReturnType<AttemptExecution['collector']> {
    return {
      collect: async (_items, { release }) => {
        await this.reach('collect', () => {
          if (!this.runner.attempts.has(this.key)) throw new ServiceError('NOT_FOUND', `no attempt ${this.key} to collect from`);
          if (release) this.runner.release(this.key);
        });
        return [];
      },
    };
  }

  release(): Promise<void> {
    return this.reach('release', () => this.runner.release(this.key));
  }

  /** These runners admit everything at once: nothing waits there. */
  withdraw(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** One Execute call to the end of its stream: undefined where the connection broke. */
  private follow(started: () => void, abandon: AbortSignal): Promise<executor.Finished | undefined> {
    return new Promise((resolve, reject) => {
      abandon.addEventListener('abort', () => reject(new ServiceError('CANCELLED', 'abandoned')), { once: true });
      const broken = (): void => this.process.receive(() => resolve(undefined));
      this.reach('execute', () => {
        this.runner.whenBroken(broken);
        this.runner.execute(this.spec, (finished) => this.process.receive(() => resolve(finished)));
        this.process.receive(started);
      }).catch((error: unknown) => {
        if (isServiceError(error) && error.code === 'UNAVAILABLE') resolve(undefined);
        else reject(error as Error);
      });
    });
  }

  private reach(operation: string, action: () => void): Promise<void> {
    const called = this.process.call(operation, async () => {
      if (this.runner.away) throw new ServiceError('UNAVAILABLE', `${operation}: the runner is away`);
      action();
    });
    return called.catch((error: unknown) => {
      if (isServiceError(error)) throw error;
      throw new ServiceError('UNAVAILABLE', `${operation}: connection lost`);
    });
  }
}

/** Tools of the simulation need no files: their command line is their input object, their output follows from it. */
export const simulatedBuilder: TaskBuilder = {
  prepare: async ({ tool, inputs }): Promise<PreparedTask> => ({
    resources: { cores: 1, ramMiB: 1, tmpdirMiB: 1, outdirMiB: 1, diskMiB: 0, gpus: 0, limits: {} },
    bind: async () => ({
      spec: executor.TaskSpec.create({ argv: [tool.id, JSON.stringify(inputs)] }),
      inputs,
      runtime: {},
      reuse: false,
    }),
  }),
  collectOutputs: async ({ tool, inputs }, _bound, _finished, collector) => {
    await collector.collect([], { publish: true, release: true });
    return toolResult(tool.id, inputs, 0).outputs;
  },
};
