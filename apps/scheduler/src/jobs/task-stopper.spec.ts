import { createLogger } from '@weft/platform';
import type { AttemptRef } from '@weft/run-store';
import { aTaskJob, createFakeTaskQueue, DeferredGate, FakeTaskQueueData, Inbox } from '@weft/testing';
import type { OwnedRun } from '../runs/owned-run.js';
import { TaskStopper } from './task-stopper.js';
import { anOwnedRun, aTaskRecord, stateWith } from '../../test/an-owned-run.js';

const ATTEMPT: AttemptRef = { taskId: 't-1', attempt: 1 };

/** A stopper over a queue, and an actor that waits for the answers of t-1 until it is offered one. `late`: what was put off, with its delay. */
function stopping(data = new FakeTaskQueueData()) {
  const queue = createFakeTaskQueue(data);
  const state = stateWith([aTaskRecord({ status: 'running' })]);
  const { tasks } = state;
  const offered: string[] = [];
  const offer: OwnedRun['offer'] = async (event) => {
    if (!('taskId' in event)) throw new Error(`${event.type} is no answer`);
    offered.push(`${event.type} ${event.taskId}`);
    tasks.delete(event.taskId);
    return true;
  };
  const actor = anOwnedRun({ state, offer });
  const here = new Set<string>();
  const sent = new Inbox<AttemptRef[]>();
  const late: { delayMs: number; work: () => void }[] = [];
  const stopper = new TaskStopper({
    queue,
    canceller: { cancel: (taskId) => here.has(taskId) },
    cancels: { send: async (attempts) => void (attempts.length > 0 && sent.push(attempts)) },
    logger: createLogger('test', 'silent'),
    clock: { now: () => 0, after: (delayMs, work) => (late.push({ delayMs, work }), (): void => undefined) },
  });
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const passTime = async (): Promise<void> => {
    await settled();
    late.splice(0).forEach(({ work }) => work());
    await settled();
  };
  return { queue, tasks, offered, actor, here, sent, late, stopper, passTime };
}

it('answers for a task that waits in the queue', async () => {
  const { queue, stopper, actor, offered, sent, late, passTime } = stopping();
  await queue.add([aTaskJob()]);
  stopper.stop(actor, [ATTEMPT]);
  await passTime();
  expect(offered).toEqual(['TaskCancelled t-1']);
  expect([await queue.depth('default'), sent.items, late]).toMatchObject([{ waiting: 0 }, [], []]);
});

it('leaves a task that is worked on here to its dispatcher, and asks again until it has answered', async () => {
  const { stopper, actor, offered, here, tasks, late, passTime } = stopping();
  here.add('t-1');
  stopper.stop(actor, [ATTEMPT]);
  await passTime();
  expect([offered, late.map(({ delayMs }) => delayMs)]).toEqual([[], [500]]);
  tasks.delete('t-1');
  await passTime();
  expect(late).toEqual([]);
});

it('tells the others where one of them works on it, again and again until its answer is there', async () => {
  const data = new FakeTaskQueueData();
  const { stopper, actor, offered, sent, tasks, late, passTime } = stopping(data);
  const gate = new DeferredGate();
  const other = createFakeTaskQueue(data);
  await other.consume('default', 1, () => gate.pass());
  await other.add([aTaskJob()]);
  await gate.reached;
  stopper.stop(actor, [ATTEMPT]);
  for (let n = 0; n < 6; n++) await passTime();
  expect(sent.items).toEqual(new Array(7).fill([ATTEMPT]));
  expect(late.map(({ delayMs }) => delayMs)).toEqual([4_000]);
  tasks.delete('t-1');
  await passTime();
  expect([offered, late]).toEqual([[], []]);
  gate.open();
});

it('leaves a task whose dispatcher died to the next one: something of it may be running', async () => {
  const data = new FakeTaskQueueData();
  const { stopper, actor, offered, sent, passTime } = stopping(data);
  const dead = createFakeTaskQueue(data);
  const gate = new DeferredGate();
  await dead.consume('default', 1, () => gate.pass());
  await dead.add([aTaskJob()]);
  await gate.reached;
  dead.crash();
  stopper.stop(actor, [ATTEMPT]);
  await passTime();
  expect([offered, sent.items[0], data.pool('default').waiting.size]).toEqual([[], [ATTEMPT], 1]);
});

it('asks for nothing more where the run is another replica’s', async () => {
  const { stopper, actor, here, late, passTime } = stopping();
  here.add('t-1');
  stopper.stop(actor, [ATTEMPT]);
  Object.assign(actor, { isStopped: true });
  await passTime();
  expect(late).toEqual([]);
});
