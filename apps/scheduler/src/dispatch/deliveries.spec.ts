/** A job that is handed out twice to one dispatcher, as happens where its lock lapsed. */
import { executor } from '@weft/contracts';
import type { EngineEvent } from '@weft/engine';
import type { CommandLineTool } from '@weft/plan';
import { createLogger } from '@weft/platform';
import { aRunner, aTaskJob, createFakeRunStore, DeferredGate, Inbox } from '@weft/testing';
import { simulatedBuilder } from '../../test/simulation/simulated-runners.js';
import { Dispatcher } from './dispatcher.js';
import { PlanCache } from './plan-cache.js';
import { RunnerPool } from './runner-pool.js';
import { TaskLogBuffer } from './task-log-buffer.js';

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

/** A dispatcher whose attempts end when a test opens their gates, or when they are stopped or given up. */
function following(): { dispatcher: Dispatcher; followed: Inbox<Followed>; reported: Inbox<EngineEvent> } {
  const followed = new Inbox<Followed>();
  const reported = new Inbox<EngineEvent>();
  const pool = new RunnerPool({ returnGraceMs: 0 });
  pool.update([{ ...aRunner(), lastSeenMs: 0 }]);
  const dispatcher = new Dispatcher({
    ...{ locator: { find: async () => undefined }, builder: simulatedBuilder, pool, logger, dataUri: 'file:///data/' },
    plans: new PlanCache(async () => ({ planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: { main: tool } })),
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
    logs: new TaskLogBuffer(createFakeRunStore().taskLogs, logger),
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
