import type { RunnerRecord } from '@weft/registry';
import type { TaskResources } from '@weft/tasks';
import { ask, DOCKER, need, PROCESS, runner } from '../../test/placing.js';
import { RunnerPool, type Placement, type PlacementRequest } from './runner-pool.js';

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

  it('waits for a runtime that is away, rather than run in another, and goes to a runner that has it', async () => {
    const away = { ...DOCKER, unavailable: 'the engine does not answer', expected: true };
    for (const isolation of ['container', 'prefer-container'] as const) {
      const pool = poolOf(runner('a', 8, { runtimes: [PROCESS, away] }), runner('b', 1));
      expect(await pool.place(ask(1, { isolation }))).toMatchObject({ runner: { runnerId: 'b' }, runtime: 'docker' });
      const waiting = pool.place(ask(1, { isolation }));
      expect(pool.waitingCount).toBe(1);
      pool.update([runner('a', 8), runner('b', 1)]);
      expect(await waiting).toMatchObject({ runner: { runnerId: 'a' }, runtime: 'docker' });
    }
  });

  it.each<[string, TaskResources, string]>([
    ['cores', need(64), "needs 64 cores; the largest runner of pool 'default' has 4"],
    ['memory', need(1, { ramMiB: 64 * 1024 }), "needs 64 GiB of memory; the largest runner of pool 'default' has 8 GiB"],
    ['disk', need(1, { diskMiB: 200 * 1024 }), "needs 200 GiB of disk; the largest runner of pool 'default' has 100 GiB"],
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

  it('sends an attempt that was begun back to its runner, room or not, whatever else there is', async () => {
    const pool = poolOf(runner('a', 1), runner('b', 8));
    await pool.place(ask(1, { attached: { runnerId: 'a', runtime: 'process' } }));
    expect(await pool.place(ask(1, { attached: { runnerId: 'a', runtime: 'docker' } }))).toMatchObject({
      runner: { runnerId: 'a' },
      runtime: 'docker',
    });
  });
});

describe('a runner that is away', () => {
  const FOREVER_MS = 1e9;

  it('is waited for by what began there, for the grace period', async () => {
    let now = 0;
    const pool = new RunnerPool({ now: () => now, returnGraceMs: 60 });
    pool.update([runner('b', 8)]);
    const attached = { runnerId: 'a', runtime: 'process' };
    const [back, gone] = [pool.place(ask(1, { attached })), pool.place(ask(1, { attached: { ...attached, runnerId: 'c' } }))];
    now = 59;
    pool.update([runner('a', 1), runner('b', 8)]);
    expect(await back).toMatchObject({ runner: { runnerId: 'a' } });
    now = 60;
    pool.update([runner('a', 1)]);
    await expect(gone).rejects.toMatchObject({ code: 'RUNNER_LOST', retryable: true });
  });

  it('loses its tasks when it stays away for longer than that, and not before', async () => {
    let now = 0;
    const pool = new RunnerPool({ now: () => now, returnGraceMs: 60 });
    pool.update([runner('a', 2)]);
    const placed = await pool.place(ask(1));
    const lostAt = (at: number, runners: RunnerRecord[]): boolean => {
      now = at;
      pool.update(runners);
      return placed.lost.aborted;
    };
    expect([lostAt(10, []), lostAt(69, []), lostAt(69, [runner('a', 2)]), lostAt(80, []), lostAt(139, [])]).toEqual(Array(5).fill(false));
    expect(lostAt(140, [])).toBe(true);
    placed.release();
    expect(pool.reservedCores).toBe(0);
  });

  it('is told what it missed with its next heartbeat, once', () => {
    const pool = poolOf(runner('a', 1));
    let told = 0;
    pool.whenHeard('a', () => (told += 1));
    pool.update([runner('a', 1)]);
    pool.update([]);
    expect(told).toBe(0);
    pool.update([runner('a', 1, { lastSeenMs: 5 })]);
    pool.update([runner('a', 1, { lastSeenMs: 6 })]);
    expect(told).toBe(1);
  });

  it('keeps nothing of runners that are gone', async () => {
    const pool = new RunnerPool({ now: () => 0, returnGraceMs: 0, patienceMs: FOREVER_MS });
    pool.update([runner('a', 1)]);
    (await pool.place(ask(1))).release();
    pool.update([]);
    expect(pool.reservedCores).toBe(0);
  });
});

describe('what other schedulers hold', () => {
  const holding = (cores: number, lastSeenMs: number, more: Partial<RunnerRecord> = {}): Partial<RunnerRecord> => ({
    load: { inUse: { cores, ramBytes: 0, diskBytes: 0, gpus: 0 }, tasksAdmitted: 1, tasksWaiting: 0 },
    lastSeenMs,
    ...more,
  });

  it('makes another runner the better one, but stops nothing: the runner lets it wait', async () => {
    const pool = poolOf(runner('large', 8, holding(7, 1)), runner('small', 2));
    expect(await pool.place(ask(2))).toMatchObject({ runner: { runnerId: 'small' } });
    expect(await pool.place(ask(2))).toMatchObject({ runner: { runnerId: 'large' } });
  });

  it('is never more than what the heartbeat counts beyond our own, however stale that is', async () => {
    const pool = poolOf(runner('a', 4), runner('b', 4, holding(1, 1)));
    const mine = await Promise.all([pool.place(ask(2)), pool.place(ask(2))]);
    expect(mine.map((placement) => placement.runner.runnerId)).toEqual(['a', 'b']);
    for (const placement of mine) placement.release();
    // These heartbeats may have counted what has just ended.
    pool.update([runner('a', 4, holding(2, 2)), runner('b', 4, holding(3, 2))]);
    expect(await pool.place(ask(4))).toMatchObject({ runner: { runnerId: 'a' } });
  });

  it('lets a task that waits at its runner go where there is room, once there is', async () => {
    const pool = poolOf(runner('a', 2, holding(2, 1)));
    const placed = await pool.place(ask(2));
    const taken: (Placement | undefined)[] = [];
    const callOff = placed.waiting((better) => taken.push(better));
    pool.update([runner('a', 2, holding(2, 1)), runner('b', 1)]);
    expect(taken).toEqual([]);
    pool.update([runner('a', 2, holding(2, 1)), runner('c', 2)]);
    expect(taken).toMatchObject([{ runner: { runnerId: 'c' } }]);
    callOff();
    placed.release();
    expect(await pool.place(ask(2))).toMatchObject({ runner: { runnerId: 'a' } });
    pool.update([runner('a', 2, holding(2, 1)), runner('c', 2), runner('d', 2)]);
    expect(taken).toHaveLength(1);
  });
});

describe('a task that failed before', () => {
  const again = (avoid: string[], more: Partial<PlacementRequest> = {}): PlacementRequest => ask(1, { avoid, ...more });

  it('goes elsewhere, also where it has to wait for that', async () => {
    const pool = poolOf(runner('a', 8), runner('b', 1));
    expect(await pool.place(again(['a']))).toMatchObject({ runner: { runnerId: 'b' } });
    const waiting = pool.place(again(['a']));
    expect(pool.waitingCount).toBe(1);
    pool.update([runner('a', 8), runner('b', 2)]);
    expect(await waiting).toMatchObject({ runner: { runnerId: 'b' } });
  });

  it.each<[string, RunnerRecord[]]>([
    ['there is no other', [runner('a', 2)]],
    ['no other is large enough', [runner('a', 2), runner('b', 0.5)]],
    ['no other takes tasks', [runner('a', 2), runner('b', 2, { draining: true })]],
    ['it failed everywhere', [runner('a', 2), runner('c', 1)]],
  ])('goes to the same runner where %s', async (_what, runners) => {
    expect(await poolOf(...runners).place(again(['a', 'c']))).toMatchObject({ runner: { runnerId: 'a' } });
  });

  it('does not wait for ever', async () => {
    let now = 0;
    const pool = new RunnerPool({ now: () => now, patienceMs: 30 });
    const runners = [runner('a', 8), runner('b', 1)];
    pool.update(runners);
    await pool.place(again(['a']));
    const waiting = pool.place(again(['a']));
    now = 30;
    pool.update(runners);
    expect(await waiting).toMatchObject({ runner: { runnerId: 'a' } });
  });
});

describe('a large task that small ones pass', () => {
  it('gets a runner to itself when it has waited long enough, and small ones go on elsewhere', async () => {
    let now = 0;
    const pool = new RunnerPool({ now: () => now, patienceMs: 30 });
    pool.update([runner('a', 4), runner('b', 2)]);
    const small = await Promise.all([pool.place(ask(1)), pool.place(ask(1))]);
    const large = pool.place(ask(4));
    now = 29;
    expect(await pool.place(ask(1))).toMatchObject({ runner: { runnerId: 'b' } });
    now = 30;
    small[1]?.release();
    expect(await large).toMatchObject({ runner: { runnerId: 'a' } });
    expect(await pool.place(ask(1))).toMatchObject({ runner: { runnerId: 'b' } });
    void pool.place(ask(1));
    expect(pool.waitingCount).toBe(1);
    (await large).release();
    expect(pool.waitingCount).toBe(0);
  });
});
