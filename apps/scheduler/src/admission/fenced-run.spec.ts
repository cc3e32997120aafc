/** A run that was taken over while its earlier owner asks for slots. */
import type { TaskQueue } from '@weft/queue';
import { aTaskJob, Inbox } from '@weft/testing';
import { createFakeProjectSlots, FakeSlotsData } from '../../test/fake-project-slots.js';
import { logger } from '../../test/owned-runs.js';
import type { OwnedRun } from '../runs/owned-run.js';
import type { TaskStopper } from '../jobs/task-stopper.js';
import type { RunTask } from './attempts.js';
import { SlotKeeper } from './slots/slot-keeper.js';
import { TaskReleaser } from './task-releaser.js';
import { anOwnedRun, aTaskRecord, stateWith } from '../../test/an-owned-run.js';

const clock = { now: () => 0, after: () => (): void => undefined };

/** Of the project p, with one task that is to be run; owned with the first token. */
function aRun(runId: string): { actor: OwnedRun; command: RunTask } {
  const { taskId, attempt, step, index, processId: process, inputs, inherited } = aTaskJob({ taskId: `${runId}-1` });
  const actor = anOwnedRun({ runId, state: stateWith([aTaskRecord({ taskId, attempt })]) });
  const command: RunTask = { type: 'RunTask', taskId, attempt, step, index, process, inputs, inherited, decidedAtMs: 0, delayMs: 0 };
  return { actor, command };
}

it('does not keep other runs of its project waiting', async () => {
  const data = new FakeSlotsData();
  const elsewhere = createFakeProjectSlots(data);
  const added = new Inbox<string>();
  const releaser = new TaskReleaser({
    queue: { add: async (jobs) => jobs.forEach(({ taskId }) => added.push(taskId)) } as TaskQueue,
    slots: new SlotKeeper({ slots: createFakeProjectSlots(data), limitOf: () => 1, logger, clock }),
    stopper: {} as TaskStopper,
    startable: () => 4,
    terms: () => ({ weight: 1, cap: 1 }),
    logger,
    clock,
  });
  await elsewhere.claim({ project: 'p', runId: 'r-0', token: 2 ** 40 });
  for (const { actor, command } of [aRun('r-0'), aRun('r-9')]) releaser.offer(actor, [command]);
  expect(await added.atLeast(1)).toEqual(['r-9-1']);
  expect([...data.project('p').held]).toEqual(['r-9-1.1']);
});
