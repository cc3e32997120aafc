import type { RunnerRecord } from '@weft/registry';
import type { TaskResources } from '@weft/tasks';
import { aRunner } from '@weft/testing';
import fc from 'fast-check';
import { RunnerPool, type Placement, type PlacementRequest } from './runner-pool.js';

const GIB = 1024 ** 3;
const DOCKER = { name: 'docker', version: '20', containers: true, unavailable: '' };
const PROCESS = { name: 'process', version: '1', containers: false, unavailable: '' };

const runner = (runnerId: string, cores: number, overrides: Partial<RunnerRecord> = {}): RunnerRecord => ({
  ...aRunner({ runnerId }),
  lastSeenMs: 0,
  pool: 'default',
  runtimes: [PROCESS, DOCKER],
  capacity: { cores, ramBytes: 8 * GIB, diskBytes: 100 * GIB, gpus: 0 },
  draining: false,
  ...overrides,
});
const need = (cores: number, more: Partial<TaskResources> = {}): TaskResources => ({
  cores,
  ramMiB: 256,
  tmpdirMiB: 1,
  outdirMiB: 1,
  gpus: 0,
  limits: {},
  ...more,
});
const ask = (cores: number, more: Partial<PlacementRequest> = {}): PlacementRequest => ({
  pool: 'default',
  resources: need(cores),
  isolation: 'process',
  signal: new AbortController().signal,
  ...more,
});
const poolOf = (...runners: RunnerRecord[]): RunnerPool => {
  const pool = new RunnerPool();
  pool.update(runners);
  return pool;
};

describe('placing', () => {
  it('gives the runner with the most room, and its runtime for the kind of task', async () => {
    const pool = poolOf(runner('small', 2), runner('large', 8));
    expect(await pool.place(ask(1))).toMatchObject({ runner: { runnerId: 'large' }, runtime: 'process' });
    expect(await pool.place(ask(1, { isolation: 'container' }))).toMatchObject({ runtime: 'docker' });
    expect(await pool.place(ask(1, { isolation: 'prefer-container' }))).toMatchObject({ runtime: 'docker' });
  });

  it('falls back to the host only for a hint', async () => {
    const pool = poolOf(runner('a', 2, { runtimes: [PROCESS, { ...DOCKER, unavailable: 'the engine does not answer' }] }));
    expect(await pool.place(ask(1, { isolation: 'prefer-container' }))).toMatchObject({ runtime: 'process' });
    await expect(pool.place(ask(1, { isolation: 'container' }))).rejects.toMatchObject({
      code: 'NO_RUNNER',
      message:
        "no runner of pool 'default' has a runtime for this task (process: available; docker: the engine does not answer); " +
        'install Docker, or run with --no-container where the tool is on the host',
    });
  });

  it.each<[string, TaskResources, string]>([
    ['cores', need(64), "needs 64 cores; the largest runner of pool 'default' has 4"],
    ['memory', need(1, { ramMiB: 64 * 1024 }), "needs 64 GiB of memory; the largest runner of pool 'default' has 8 GiB"],
    ['GPUs', need(1, { gpus: 1 }), "needs 1 GPUs; the largest runner of pool 'default' has 0"],
  ])('refuses at once what no runner can ever hold: %s', async (_what, resources, message) => {
    await expect(poolOf(runner('a', 4)).place(ask(1, { resources }))).rejects.toMatchObject({ code: 'NO_RUNNER', message });
  });

  it('waits for the first runner of the pool, and for room', async () => {
    const pool = new RunnerPool();
    const first = pool.place(ask(2));
    const second = pool.place(ask(2));
    pool.update([runner('a', 2)]);
    const placed = await first;
    expect(pool.waitingCount).toBe(1);
    placed.release();
    expect(await second).toMatchObject({ runner: { runnerId: 'a' } });
  });

  it('lets a small task pass a large one that has to wait', async () => {
    const pool = poolOf(runner('a', 4));
    await pool.place(ask(3));
    const large = pool.place(ask(4));
    expect(await pool.place(ask(1))).toMatchObject({ runner: { runnerId: 'a' } });
    expect(pool.waitingCount).toBe(1);
    void large;
  });

  it('gives nothing new to a runner that drains', async () => {
    const pool = poolOf(runner('a', 4, { draining: true }));
    const waiting = pool.place(ask(1));
    expect(pool.waitingCount).toBe(1);
    pool.update([runner('a', 4)]);
    expect(await waiting).toMatchObject({ runner: { runnerId: 'a' } });
  });

  it('stops waiting when it is cancelled', async () => {
    const stop = new AbortController();
    const waiting = new RunnerPool().place(ask(1, { signal: stop.signal }));
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('sends an attempt that was begun back to its runner, room or not, and says when that is gone', async () => {
    const pool = poolOf(runner('a', 1), runner('b', 8));
    await pool.place(ask(1, { attached: { runnerId: 'a', runtime: 'process' } }));
    expect(await pool.place(ask(1, { attached: { runnerId: 'a', runtime: 'docker' } }))).toMatchObject({
      runner: { runnerId: 'a' },
      runtime: 'docker',
    });
    await expect(pool.place(ask(1, { attached: { runnerId: 'c', runtime: 'process' } }))).rejects.toMatchObject({
      code: 'RUNNER_LOST',
      retryable: true,
    });
  });
});

it('never reserves more than a runner has, whatever comes and goes in whatever order, and everything that fits ends placed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 30 }), fc.infiniteStream(fc.nat()), async (sizes, choices) => {
      const pool = poolOf(runner('a', 4), runner('b', 3));
      const running: { placement: Placement; cores: number }[] = [];
      const used = (id: string): number =>
        running.filter(({ placement }) => placement.runner.runnerId === id).reduce((sum, { cores }) => sum + cores, 0);
      let placed = 0;
      for (const cores of sizes) {
        void pool.place(ask(cores)).then((placement) => {
          placed += 1;
          running.push({ placement, cores });
        });
      }
      for (;;) {
        await new Promise(setImmediate);
        expect(used('a')).toBeLessThanOrEqual(4);
        expect(used('b')).toBeLessThanOrEqual(3);
        const [done] = running.splice((choices.next().value as number) % Math.max(1, running.length), 1);
        if (!done) break;
        done.placement.release();
        done.placement.release();
      }
      expect(placed).toBe(sizes.length);
    }),
    { numRuns: 50 },
  );
});
