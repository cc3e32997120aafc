/** A job that is handed out twice, to one dispatcher or to two, as happens where its lock lapsed. */
import { executor } from '@weft/contracts';
import type { EngineEvent } from '@weft/engine';
import type { CommandLineTool } from '@weft/plan';
import { createLogger, ServiceError } from '@weft/platform';
import { aRunHeader, aRunner, aTaskJob, createFakeRunStore, DeferredGate, Inbox } from '@weft/testing';
import { openReach } from '../../test/open-reach.js';
import { SecretBox } from '../secrets/secret-box.js';
import { LocalStorage } from '@weft/storage';
import { simulatedBuilder } from '../../test/simulation/tools.js';
import { systemClock } from '../kernel/clock.js';
import { LoggedAttempts } from './attempt-locator.js';
import { toLogEvent } from '../runs/log-events.js';
import type { PartitionOwner } from '../runs/partition-owner.js';
import { Dispatcher, type DispatcherDeps } from './dispatcher.js';
import { PlanCache } from '../plans/plan-cache.js';
import { RunnerPool } from '../placement/runner-pool.js';
import { SLOW_MS } from './slow-look.js';
import { TaskLogBuffer } from './log/task-log-buffer.js';

const tool: CommandLineTool = {
  ...{ class: 'CommandLineTool', id: 'main', inputs: [], outputs: [], baseCommand: ['t'], arguments: [], successCodes: [0] },
  ...{ temporaryFailCodes: [], permanentFailCodes: [], requirements: [], hints: [], declaredVersion: 'v1.2' },
};
const job = aTaskJob();
const logger = createLogger('test', 'silent');
const AGAIN = { again: true };

interface Followed {
  cancelled: AbortSignal;
  ends: DeferredGate;
}

function dispatcherWith(deps: Pick<DispatcherDeps, 'execution' | 'reporter'> & Partial<DispatcherDeps>): Dispatcher {
  const pool = new RunnerPool({ returnGraceMs: 0 });
  pool.update([{ ...aRunner(), lastSeenMs: 0 }]);
  return new Dispatcher({
    ...{
      locator: { find: async () => undefined, answered: async () => false },
      inputs: { whole: async (job) => job },
      builder: () => simulatedBuilder,
      secrets: new SecretBox(Buffer.alloc(32)),
      reach: openReach(new LocalStorage()),
      pool,
      logger,
      clock: systemClock,
    },
    plans: new PlanCache(async () => ({ planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: { main: tool } })),
    logs: new TaskLogBuffer(createFakeRunStore().taskLogs, logger),
    dataUri: 'file:///data/',
    ...deps,
  });
}

/** A dispatcher whose attempts end when a test opens their gates, or when they are stopped or given up. */
function following(): { dispatcher: Dispatcher; followed: Inbox<Followed>; reported: Inbox<EngineEvent> } {
  const followed = new Inbox<Followed>();
  const reported = new Inbox<EngineEvent>();
  const dispatcher = dispatcherWith({
    execution: () => ({
      run: async (_on, cancel, abandon) => {
        const ends = new DeferredGate();
        followed.push({ cancelled: cancel, ends });
        cancel.addEventListener('abort', () => ends.open());
        abandon.addEventListener('abort', () => ends.fail(new Error('given up')));
        await ends.pass();
        const outcome = cancel.aborted ? executor.Outcome.CANCELLED : executor.Outcome.EXITED;
        return executor.Finished.create({ outcome, exitCode: 1 });
      },
      collector: () => ({ collect: async () => [] }),
      release: async () => undefined,
      withdraw: async () => true,
    }),
    reporter: { report: async (_runId, event) => reported.push(event) },
  });
  return { dispatcher, followed, reported };
}

const never = new AbortController().signal;

it('is followed once, and both deliveries end with its answer', async () => {
  const { dispatcher, followed, reported } = following();
  const first = dispatcher.handle(job, never, { again: false });
  const [attempt] = (await followed.atLeast(1)) as [Followed];
  const second = dispatcher.handle(job, never, AGAIN);
  attempt.ends.open();
  await Promise.all([first, second]);
  expect([followed.items.length, reported.items.map(({ type }) => type), dispatcher.activeTasks]).toEqual([1, ['TaskFailed'], 0]);
});

it('can be cancelled while its second delivery waits', async () => {
  const { dispatcher, followed, reported } = following();
  const first = dispatcher.handle(job, never, { again: false });
  await followed.atLeast(1);
  const second = dispatcher.handle(job, never, AGAIN);
  expect(dispatcher.cancel(job.taskId, job.attempt)).toBe(true);
  await Promise.all([first, second]);
  expect(reported.items.map(({ type }) => type)).toEqual(['TaskCancelled']);
});

it('is followed by the second delivery where the first gives up, and can be cancelled then', async () => {
  const { dispatcher, followed, reported } = following();
  const abandon = new AbortController();
  const first = dispatcher.handle(job, abandon.signal, { again: false });
  await followed.atLeast(1);
  const second = dispatcher.handle(job, never, AGAIN);
  abandon.abort();
  await expect(first).rejects.toThrow('given up');
  await followed.atLeast(2);
  expect(dispatcher.cancel(job.taskId, job.attempt)).toBe(true);
  await second;
  expect([reported.items.map(({ type }) => type), dispatcher.activeTasks]).toEqual([['TaskCancelled'], 0]);
});

describe('whose attempt another dispatcher has concluded and not answered yet', () => {
  const released = new ServiceError('FAILED_PRECONDITION', 'attempt t-1.1 was released');
  const gone = new ServiceError('NOT_FOUND', 'there is no attempt t-1.1 here');
  const finished = executor.Finished.create({ outcome: executor.Outcome.EXITED, exitCode: 0 });
  const success: EngineEvent = { type: 'TaskSucceeded', taskId: job.taskId, attempt: job.attempt, outputs: {}, exitCode: 0 };

  /** The runner refuses to execute, or to hand out what the attempt left. `tooLong` opens with what is to happen when nobody answers. */
  async function refused(run: () => Promise<executor.Finished>, collect: () => Promise<never>) {
    const { intake, log, reader } = createFakeRunStore();
    await intake.create(aRunHeader({ runId: job.runId }), { type: 'RunAccepted' });
    const report = async (runId: string, event: EngineEvent): Promise<void> => void (await intake.request(runId, toLogEvent(event)));
    const tooLong = new Inbox<() => void>();
    const after = (delayMs: number, work: () => void): (() => void) => {
      // A look at the inputs that takes long is another matter.
      if (delayMs !== SLOW_MS) tooLong.push(work);
      return () => undefined;
    };
    const noRuns = { actorOf: () => undefined } as unknown as PartitionOwner;
    const dispatcher = dispatcherWith({
      locator: new LoggedAttempts(() => noRuns, log, reader),
      execution: () => ({ run, collector: () => ({ collect }), release: async () => undefined, withdraw: async () => true }),
      reporter: { report },
      clock: { ...systemClock, after },
    });
    const logged = async (): Promise<string[]> => (await log.read(job.runId, 1)).map(({ event }) => event.type);
    return { dispatcher, tooLong, answer: () => report(job.runId, success), logged };
  }

  const refusals: [string, Parameters<typeof refused>][] = [
    ['when it comes', [() => Promise.reject(released), () => Promise.reject(released)]],
    ['while it collects', [async () => finished, () => Promise.reject(released)]],
    ['when it collects', [async () => finished, () => Promise.reject(gone)]],
  ];

  it.each(refusals)('leaves the answer to that one: refused %s', async (_when, refusal) => {
    const { dispatcher, tooLong, answer, logged } = await refused(...refusal);
    const handled = dispatcher.handle(job, never, AGAIN);
    await tooLong.atLeast(1);
    await answer();
    await handled;
    expect(await logged()).toEqual(['TaskSucceeded']);
  });

  it.each(refusals)('fails for another attempt where that one is gone: refused %s', async (_when, refusal) => {
    const { dispatcher, tooLong, logged } = await refused(...refusal);
    const handled = dispatcher.handle(job, never, AGAIN);
    const [expire] = await tooLong.atLeast(1);
    expire?.();
    await handled;
    expect(await logged()).toEqual(['TaskFailed']);
  });

  it('is handed out again where the dispatcher closes meanwhile', async () => {
    const { dispatcher, tooLong, logged } = await refused(...(refusals[0]?.[1] as Parameters<typeof refused>));
    const closing = new AbortController();
    const handled = dispatcher.handle(job, closing.signal, AGAIN);
    await tooLong.atLeast(1);
    closing.abort();
    await expect(handled).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await logged()).toEqual([]);
  });
});
