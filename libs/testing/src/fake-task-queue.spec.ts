/** The fake task queue keeps the contract, and shows the waits that handlers asked for. */
import { aTaskJob } from './builders.js';
import { FakeTaskQueueData, createFakeTaskQueue } from './fake-task-queue.js';
import { Inbox } from './gate.js';
import { taskQueueContract } from './task-queue.contract.js';

describe('fake task queue', () => {
  taskQueueContract(async () => {
    const data = new FakeTaskQueueData(true);
    const [one, two] = [createFakeTaskQueue(data), createFakeTaskQueue(data)];
    return { one, two, close: async () => void (await Promise.all([one.close(), two.close()])) };
  });

  it('keeps a rejected job until it is promoted', async () => {
    const data = new FakeTaskQueueData();
    const queue = createFakeTaskQueue(data);
    const inbox = new Inbox<string>();
    await queue.consume('default', 1, async (job) => {
      inbox.push(job.taskId);
      if (job.taskId === 'bad') throw { retryAfterMs: 5000 };
    });
    await queue.add([aTaskJob({ taskId: 'bad' }), aTaskJob({ taskId: 'good' })]);
    await inbox.atLeast(2);
    expect(await queue.depth('default')).toMatchObject({ delayed: 1 });
    expect(data.promote('default')).toEqual([5000]);
    await inbox.atLeast(3);
    await queue.close();
  });
});
