import type { RunnerRecord } from '@weft/registry';
import fc from 'fast-check';
import { ask, need, runner } from '../../test/placing.js';
import { RunnerPool, type Placement } from './runner-pool.js';

describe('a task ahead of the room', () => {
  let now = 0;
  /** A pool in which `count` tasks of one core have just ended on the runner 'a', and whose runners are full of long ones. */
  const busy = async (count: number, ...runners: RunnerRecord[]): Promise<{ pool: RunnerPool; long: Placement[] }> => {
    now = 0;
    const pool = new RunnerPool({ now: () => now });
    pool.update([runner('a', 2)]);
    for (let n = 0; n < count; n++) (await pool.place(ask(1))).release();
    pool.update([runner('a', 2), ...runners]);
    const cores = 2 + runners.reduce((sum, { capacity }) => sum + capacity.cores, 0);
    return { pool, long: await Promise.all(Array.from({ length: cores }, () => pool.place(ask(1)))) };
  };
  const aheadOf = (placement: Placement): [string, boolean] => [placement.runner.runnerId, placement.ahead];

  it('is one of as many as ended lately, and of two for each core at most', async () => {
    for (const [ended, ahead] of [
      [0, 0],
      [1, 1],
      [3, 3],
      [100, 4],
    ] as const) {
      const { pool } = await busy(ended);
      for (let n = 0; n < 10; n++) void pool.place(ask(1));
      expect([ended, 10 - pool.waitingCount]).toEqual([ended, ahead]);
      expect(pool.reservedCores).toBe(2);
    }
  });

  it('needs no more than goes with one core', async () => {
    const { pool } = await busy(10);
    void pool.place(ask(2));
    void pool.place(ask(1, { resources: need(1, { ramMiB: 5 * 1024 }) }));
    expect(pool.waitingCount).toBe(2);
    expect(aheadOf(await pool.place(ask(1)))).toEqual(['a', true]);
  });

  it('is not sent where nothing ends any more', async () => {
    const { pool } = await busy(100);
    now = 500;
    void pool.place(ask(1));
    expect(pool.waitingCount).toBe(1);
  });

  it('is sent only where there is no room anywhere', async () => {
    const { pool, long } = await busy(100, runner('b', 1));
    long[2]?.release();
    expect(aheadOf(await pool.place(ask(1)))).toEqual([long[2]?.runner.runnerId, false]);
  });

  it('gets the next room of its runner, before any that came later', async () => {
    const { pool, long } = await busy(2);
    const [first] = await Promise.all([pool.place(ask(1)), pool.place(ask(1))]);
    const later = pool.place(ask(1));
    expect(pool.waitingCount).toBe(1);
    long[0]?.release();
    expect(aheadOf(await later)).toEqual(['a', true]);
    first.release();
    expect(pool.reservedCores).toBe(2);
  });

  it('is offered a place once, also where others give theirs back at once', async () => {
    const { pool, long } = await busy(2, runner('b', 1));
    const offered: Placement[] = [];
    for (const placed of await Promise.all([pool.place(ask(1)), pool.place(ask(1))])) {
      placed.waiting((better) => {
        offered.push(placed);
        // It has begun meanwhile.
        better?.release();
      });
    }
    long.find(({ runner: { runnerId } }) => runnerId === 'b')?.release();
    expect(offered).toHaveLength(2);
    expect(new Set(offered).size).toBe(2);
  });

  it('goes to another runner as soon as that has room, before any that came later', async () => {
    const { pool, long } = await busy(1, runner('b', 1));
    const placed = await pool.place(ask(1));
    const later = pool.place(ask(1));
    const taken: (Placement | undefined)[] = [];
    placed.waiting((better) => taken.push(better));
    long.find(({ runner: { runnerId } }) => runnerId === 'b')?.release();
    expect(taken.map((better) => better && aheadOf(better))).toEqual([['b', false]]);
    placed.release();
    expect(aheadOf(await later)).toEqual(['b', true]);
  });

  it('does not wait at a runner that drains', async () => {
    const { pool } = await busy(2);
    const placed = await Promise.all([pool.place(ask(1)), pool.place(ask(1))]);
    const taken: (Placement | undefined)[] = [];
    placed[0].waiting((better) => taken.push(better));
    pool.update([runner('a', 2, { draining: true })]);
    placed[1].waiting((better) => taken.push(better));
    expect(taken).toEqual([undefined, undefined]);
    for (const placement of placed) placement.release();
    expect(pool.reservedCores).toBe(2);
  });

  it('leaves the room to a large one that has waited too long', async () => {
    const { pool, long } = await busy(0);
    const large = pool.place(ask(2));
    now = 30_000;
    long[0]?.release();
    expect(aheadOf(await large)).toEqual(['a', false]);
    void pool.place(ask(1));
    expect(pool.waitingCount).toBe(1);
  });
});

interface Placed {
  placement: Placement;
  cores: number;
  begun: boolean;
}

/** Begins what fits, first come, first served, as a runner does. */
function admit(placed: Placed[], capacity: Record<string, number>): void {
  for (const one of placed) {
    const { runnerId } = one.placement.runner;
    const held = placed.filter(({ begun, placement }) => begun && placement.runner.runnerId === runnerId);
    one.begun ||= held.reduce((sum, { cores }) => sum + cores, one.cores) <= (capacity[runnerId] ?? 0);
  }
}

it('never reserves more than a runner has, whatever comes and goes in whatever order, and everything that fits ends placed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 40 }), fc.infiniteStream(fc.nat()), async (sizes, choices) => {
      const capacity = { a: 4, b: 3 };
      const pool = new RunnerPool();
      pool.update([runner('a', capacity.a), runner('b', capacity.b)]);
      let placed: Placed[] = [];
      let ended = 0;
      const add = (placement: Placement, cores: number): void => {
        const one: Placed = { placement, cores, begun: false };
        placed.push(one);
        admit(placed, capacity);
        if (one.begun) return;
        expect(placement.ahead).toBe(true);
        placement.waiting((better) => {
          if (one.begun) return better?.release();
          placed = placed.filter((other) => other !== one);
          placement.release();
          if (better) add(better, cores);
        });
      };
      for (const cores of sizes) void pool.place(ask(cores)).then((placement) => add(placement, cores));
      for (;;) {
        await new Promise(setImmediate);
        expect(pool.reservedCores).toBeLessThanOrEqual(7);
        const waiting = (id: string): number => placed.filter((one) => !one.begun && one.placement.runner.runnerId === id).length;
        expect([waiting('a') <= 8, waiting('b') <= 6]).toEqual([true, true]);
        const begun = placed.filter((one) => one.begun);
        const done = begun[(choices.next().value as number) % Math.max(1, begun.length)];
        if (!done) break;
        placed = placed.filter((one) => one !== done);
        ended += 1;
        admit(placed, capacity);
        done.placement.release();
        done.placement.release();
      }
      expect([ended, pool.reservedCores]).toEqual([sizes.length, 0]);
    }),
    { numRuns: 100 },
  );
});
