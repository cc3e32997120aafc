/** An execution whose runner goes away: real gRPC on a socket, a runner that is closed and started again. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { createClient, createLogger, type RunningGrpcServer, serverStream, startGrpcServer, unary } from '@weft/platform';
import { deferred } from '@weft/testing';
import { TaskExecution } from './task-execution.js';

const spec = executor.TaskSpec.fromPartial({ taskId: 't-1', attempt: 1 });
const started = executor.TaskEvent.fromPartial({ event: { $case: 'started', value: { handle: 'c-1' } } });
const finished = executor.TaskEvent.fromPartial({ event: { $case: 'finished', value: { exitCode: 7 } } });
const never = new AbortController().signal;

class Runner {
  readonly address = `unix:${join(mkdtempSync(join(tmpdir(), 'weft-exec-')), 'runner.sock')}`;
  readonly client = createClient(executor.ContainerExecutorClient, this.address);
  executions = 0;
  /** Resolves when somebody collects; the answer never comes. */
  readonly collecting = deferred();
  cancels = 0;
  private server: RunningGrpcServer | undefined;

  /** `last`: whether this life of the runner sees the task to its end. */
  async start(last: boolean): Promise<void> {
    const absent = unary((): Promise<never> => Promise.reject(new Error('not part of this test')));
    const count = (): void => void (this.executions += 1);
    const implementation: executor.ContainerExecutorServer = {
      describe: absent,
      inspectImage: absent,
      collect: unary(() => {
        this.collecting.resolve();
        return new Promise<never>(() => undefined);
      }),
      release: absent,
      cancel: unary(async () => {
        this.cancels += 1;
        return {};
      }),
      execute: serverStream(async function* (_request: executor.TaskSpec, { signal }) {
        count();
        yield started;
        if (last) yield finished;
        else await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      }),
    };
    this.server = await startGrpcServer({
      listen: this.address,
      services: [{ definition: executor.ContainerExecutorService, implementation }],
    });
  }

  async stop(): Promise<void> {
    await this.server?.close(0);
  }
}

const execution = (runner: Runner, graceMs?: number): TaskExecution =>
  new TaskExecution(runner.client, spec, createLogger('test', 'silent'), graceMs);

/** Follows the task, and tells when it has started for the first time. */
function begin(one: TaskExecution, cancel: AbortSignal, abandon: AbortSignal, lost = never) {
  let tell: () => void = () => undefined;
  const running = new Promise<void>((resolve) => (tell = resolve));
  const end = one.run(
    { queued: () => undefined, started: () => tell(), preparing: () => undefined, log: () => undefined },
    cancel,
    abandon,
    lost,
  );
  end.catch(() => undefined);
  return { running, end };
}

describe('TaskExecution', () => {
  let runner: Runner;
  beforeEach(async () => {
    runner = new Runner();
    await runner.start(false);
  });
  afterEach(async () => {
    runner.client.close();
    await runner.stop();
  });

  it('attaches again when its runner comes back, and brings it a cancel that it missed', async () => {
    const cancel = new AbortController();
    const { running, end } = begin(execution(runner), cancel.signal, never);
    await running;
    await runner.stop();
    cancel.abort();
    await runner.start(true);
    expect((await end).exitCode).toBe(7);
    expect([runner.executions, runner.cancels]).toEqual([2, 1]);
  });

  it('does not wait for outputs of a runner that is lost meanwhile', async () => {
    await runner.stop();
    await runner.start(true);
    const one = execution(runner);
    const lost = new AbortController();
    await begin(one, never, never, lost.signal).end;
    const collected = one.collector('file:///data/').collect([], { publish: true, release: false });
    collected.catch(() => undefined);
    await runner.collecting.promise;
    lost.abort();
    await expect(collected).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(one.collector('file:///data/').collect([], { publish: true, release: false })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('gives a runner up that stays away, and itself when it is abandoned', async () => {
    const { running, end } = begin(execution(runner, 1), never, never);
    await running;
    await runner.stop();
    await expect(end).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'the runner has not come back within 0.001 s' });

    await runner.start(false);
    const abandon = new AbortController();
    const other = begin(execution(runner), never, abandon.signal);
    await other.running;
    await runner.stop();
    abandon.abort();
    await expect(other.end).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
