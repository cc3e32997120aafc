/** Real threads. Events are ordered, nothing is timed. */
import { getPriority } from 'node:os';
import type { FixtureTask } from './thread-pool.fixture.js';
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.js';
import { locateWorkerProgram } from './worker-location.js';

const REFUSALS: ThreadPoolOptions['refusals'] = {
  takesTooLong: (cpuMs) => new Error(`too long: ${cpuMs}`),
  takesTooMuch: (heapMb) => new Error(`too much: ${heapMb}`),
  tooManyWait: (count, whose) => new Error(`${count} wait of ${whose}`),
  stopping: () => new Error('stopping'),
  broken: (why) => new Error(`broken: ${why}`),
};
const locate = (): Promise<URL> =>
  locateWorkerProgram({ name: 'thread-pool-fixture', beside: import.meta.url, source: './thread-pool.fixture.ts', folders: ['./'] });

let pool: ThreadPool<FixtureTask, unknown>;
afterEach(() => pool.close());

function aPool(options: Partial<ThreadPoolOptions> = {}): typeof pool {
  const limits = { threads: 1, cpuMs: 600_000, heapMb: 128, waiting: 2, waitingInAll: 3 };
  return (pool = new ThreadPool({ ...limits, locate, refusals: REFUSALS, ...options }));
}

const echo = (text = 'x'): FixtureTask => ({ kind: 'echo', bytes: Buffer.from(text) });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('answers, and the service goes on meanwhile', async () => {
  aPool();
  const order: string[] = [];
  const answered = pool.run(echo('bytes'), 'a').then((answer) => order.push(Buffer.from(answer as Uint8Array).toString()));
  await turn();
  order.push('a turn');
  await answered;
  expect(order).toEqual(['a turn', 'bytes']);
});

it('what is handed over is not copied', async () => {
  aPool();
  const bytes = new Uint8Array(100_000).fill(7);
  const answer = pool.run({ kind: 'echo', bytes }, 'a', [bytes.buffer]);
  expect((await answer) as Uint8Array).toHaveLength(100_000);
  expect(bytes).toHaveLength(0);
});

it('a thread gives way to the service', async () => {
  aPool();
  expect(await pool.run({ kind: 'niceness' }, 'a')).toBe(Math.min(19, getPriority() + 5));
});

it.each<[FixtureTask['kind'], Partial<ThreadPoolOptions>, string]>([
  ['spin', { cpuMs: 500 }, 'too long: 500'],
  ['fill', { heapMb: 32 }, 'too much: 32'],
  ['fail', {}, 'broken: a fault of ours'],
  ['exit', {}, 'broken: the thread ended with code 3'],
])('a task that would %s is refused, and the next one is done', async (kind, options, refusal) => {
  aPool(options);
  await expect(pool.run({ kind } as FixtureTask, 'a')).rejects.toThrow(refusal);
  expect(await pool.run(echo(), 'a')).toHaveLength(1);
});

it('owners take turns; one has so many waiting and no more, and so have all', async () => {
  aPool();
  const order: string[] = [];
  const run = (owner: string, task = echo()): Promise<unknown> => pool.run(task, owner).then(() => order.push(owner));
  await run('z');
  const until = new Int32Array(new SharedArrayBuffer(4));
  const all = [run('a', { kind: 'hold', until })];
  // The thread has it before others wait.
  await turn();
  all.push(run('a'), run('a'));
  await expect(run('a')).rejects.toThrow('2 wait of owner');
  all.push(run('b'));
  await expect(run('c')).rejects.toThrow('3 wait of all');
  Atomics.store(until, 0, 1);
  Atomics.notify(until, 0);
  await Promise.all(all);
  expect(order).toEqual(['z', 'a', 'a', 'b', 'a']);
  await Promise.all([run('c'), run('c'), run('d')]);
});

it('a program that cannot be found is said to all who wait, and looked for again', async () => {
  let asked = 0;
  aPool({ locate: () => (asked++ === 0 ? Promise.reject(new Error('no program here')) : locate()) });
  const both = await Promise.allSettled([pool.run(echo(), 'a'), pool.run(echo(), 'b')]);
  expect(both.map((one) => one.status === 'rejected' && String(one.reason))).toEqual(Array(2).fill('Error: no program here'));
  expect(await pool.run(echo(), 'a')).toHaveLength(1);
});

it('who waits when it closes is told so', async () => {
  aPool();
  const all = Promise.allSettled([pool.run({ kind: 'spin' }, 'a'), pool.run(echo(), 'a')]);
  await turn();
  await pool.close();
  for (const one of await all) expect(one).toMatchObject({ status: 'rejected', reason: { message: 'stopping' } });
  await expect(pool.run(echo(), 'a')).rejects.toThrow('stopping');
});
