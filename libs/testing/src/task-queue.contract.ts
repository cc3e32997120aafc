/** The contract of TaskQueue and TaskConsumer, for the fake and for every adapter. */
import type { TaskConsumer, TaskJob, TaskQueue } from '@weft/queue';
import { aTaskJob } from './builders.js';
import { DeferredGate, Inbox } from './gate.js';

type Both = TaskQueue & TaskConsumer;

/** Two queues over the same, empty data, as two processes have them. close() is idempotent per queue. */
export interface TaskQueueFixture {
  one: Both;
  two: Both;
  close(): Promise<void>;
}

export function taskQueueContract(open: () => Promise<TaskQueueFixture>): void {
  let fixture: TaskQueueFixture;
  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(() => fixture.close());
  const get = (): TaskQueueFixture => fixture;
  describe('adding', () => addingContract(get));
  describe('removing', () => removingContract(get));
  describe('consuming', () => consumingContract(get));
}

const jobs = (count: number, overrides: Partial<TaskJob> = {}): TaskJob[] =>
  Array.from({ length: count }, (_, n) => aTaskJob({ taskId: `t-${n}`, index: String(n), ...overrides }));

function addingContract(get: () => TaskQueueFixture): void {
  it('hands a job over as it was added', async () => {
    const { one, two } = get();
    const inbox = new Inbox<TaskJob>();
    const job = aTaskJob({ inputs: { text: 'ü', file: { class: 'File', location: 'file:///x' }, none: null } });
    await two.consume('default', 1, async (received) => inbox.push(received));
    const long = aTaskJob({ taskId: 't-2', inputs: { n: 9223372036854775807n, list: [1, -9007199254740993n] } });
    await one.add([job]);
    expect(await inbox.atLeast(1)).toEqual([job]);
    await one.add([long]);
    expect((await inbox.atLeast(2))[1]).toEqual(long);
  });

  it('adds a waiting or running job once', async () => {
    const { one, two } = get();
    const [gate, inbox] = [new DeferredGate(), new Inbox<string>()];
    await one.add([aTaskJob(), aTaskJob()]);
    await two.add([aTaskJob()]);
    expect((await one.depth('default')).waiting).toBe(1);
    await two.consume('default', 4, async (job) => {
      inbox.push(`${job.taskId}.${job.attempt}`);
      await gate.pass();
    });
    await gate.reached;
    await one.add([aTaskJob(), aTaskJob({ attempt: 2 })]);
    expect(await inbox.atLeast(2)).toEqual(['t-1.1', 't-1.2']);
    expect(await one.depth('default')).toMatchObject({ waiting: 0, active: 2 });
    gate.open();
  });

  it('hands a finished job out again when it is added again', async () => {
    const { one, two } = get();
    const inbox = new Inbox<string>();
    await one.consume('default', 1, async (job) => inbox.push(job.taskId));
    // The second job is begun when the first one is finished for good.
    await two.add([aTaskJob({ taskId: 'first' }), aTaskJob({ taskId: 'second' })]);
    await inbox.atLeast(2);
    await two.add([aTaskJob({ taskId: 'first' })]);
    expect(await inbox.atLeast(3)).toEqual(['first', 'second', 'first']);
  });

  it('adds thousands, to several pools, and nothing for nothing', async () => {
    const { one } = get();
    await one.add([]);
    await one.add([...jobs(2500), ...jobs(10, { pool: 'gpu' })]);
    expect(await one.depth('default')).toEqual({ waiting: 2500, active: 0, delayed: 0, failed: 0 });
    expect((await one.depth('gpu')).waiting).toBe(10);
    expect((await one.depth('other')).waiting).toBe(0);
  });

  it.each(['', 'a:b', '{x}', 'a/b'])('refuses the pool "%s"', async (pool) => {
    await expect(get().one.add([aTaskJob({ pool })])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('takes waiting jobs out and leaves running ones', async () => {
    const { one, two } = get();
    const [gate, inbox] = [new DeferredGate(), new Inbox<string>()];
    await two.consume('default', 1, async (job) => {
      inbox.push(job.taskId);
      await gate.pass();
    });
    await one.add(jobs(3));
    await gate.reached;
    expect(await one.remove(jobs(2))).toEqual([jobs(1)[0]]);
    expect(await one.depth('default')).toMatchObject({ waiting: 1, active: 1 });
    gate.open();
    expect(await inbox.atLeast(2)).toEqual(['t-0', 't-2']);
  });
}

function removingContract(get: () => TaskQueueFixture): void {
  it('leaves a job that was handed out before, and knows nothing of one that is done', async () => {
    const { one, two } = get();
    const [entered, inbox] = [new DeferredGate(), new Inbox<string>()];
    await one.consume('default', 1, async (_job, signal) => {
      void entered.pass();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      throw new Error('closing');
    });
    await one.add([aTaskJob()]);
    await entered.reached;
    await one.close();
    expect(await two.remove([aTaskJob()])).toHaveLength(1);
    await two.consume('default', 1, async (job) => inbox.push(job.taskId));
    await two.add([aTaskJob({ taskId: 'next' })]);
    // The second is begun when the first is finished for good.
    expect(await inbox.atLeast(2)).toEqual(['t-1', 'next']);
    expect(await two.remove([aTaskJob(), aTaskJob({ taskId: 'never' })])).toEqual([]);
  });
}

function consumingContract(get: () => TaskQueueFixture): void {
  it('works on at most `concurrency` at a time, in order, prioritised ones last', async () => {
    const { one, two } = get();
    const inbox = new Inbox<string>();
    const gates = Array.from({ length: 4 }, () => new DeferredGate());
    await one.add([aTaskJob({ taskId: 'later', priority: 9 }), aTaskJob({ taskId: 'late', priority: 2 }), ...jobs(2)]);
    await two.consume('default', 2, async (job) => {
      inbox.push(job.taskId);
      await gates[inbox.items.length - 1]?.pass();
    });
    expect(await inbox.atLeast(2)).toEqual(['t-0', 't-1']);
    expect(await one.depth('default')).toMatchObject({ waiting: 2, active: 2 });
    gates[0]?.open();
    expect(await inbox.atLeast(3)).toEqual(['t-0', 't-1', 'late']);
    gates.forEach((gate) => gate.open());
    expect((await inbox.atLeast(4)).at(-1)).toBe('later');
  });

  it('gives each job to one of several consumers', async () => {
    const { one, two } = get();
    const inbox = new Inbox<string>();
    await one.consume('default', 3, async (job) => inbox.push(job.taskId));
    await two.consume('default', 3, async (job) => inbox.push(job.taskId));
    await one.add(jobs(50));
    expect(new Set(await inbox.atLeast(50)).size).toBe(50);
  });

  it.each([
    ['at once', { retryAfterMs: 0 }],
    ['after the wait it asks for', { retryAfterMs: 1 }],
    ['also when the reason is no error', Object.assign(Object.create(null) as object, { retryAfterMs: 0 })],
    [
      'also when it pretends to be one of the queue library',
      Object.assign(new Error('no'), { name: 'UnrecoverableError', retryAfterMs: 0 }),
    ],
  ])('hands a rejected job out again, %s', async (_when, reason) => {
    const { one, two } = get();
    const inbox = new Inbox<string>();
    await two.consume('default', 1, async (job, _signal, { again }) => {
      inbox.push(`${job.taskId} ${again}`);
      if (inbox.items.length < 3) throw reason;
    });
    await one.add([aTaskJob()]);
    expect(await inbox.atLeast(3)).toEqual(['t-1 false', 't-1 true', 't-1 true']);
  });

  it('aborts and waits for running handlers when it closes, and leaves their jobs to others', async () => {
    const { one, two } = get();
    const [entered, inbox] = [new DeferredGate(), new Inbox<string>()];
    let aborted = false;
    await one.consume('default', 1, async (_job, signal) => {
      void entered.pass();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      aborted = true;
      throw new Error('closing');
    });
    await one.add([aTaskJob()]);
    await entered.reached;
    await one.close();
    expect(aborted).toBe(true);
    await two.consume('default', 1, async (job) => inbox.push(job.taskId));
    expect(await inbox.atLeast(1)).toEqual(['t-1']);
  });

  it('refuses to consume a pool twice', async () => {
    const { one } = get();
    await one.consume('default', 1, async () => undefined);
    await expect(one.consume('default', 1, async () => undefined)).rejects.toThrow('already');
  });
}
