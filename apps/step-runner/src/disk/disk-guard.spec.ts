/** The guard over disks that a test fills and empties; time is a list of what is due. */
import { tmpdir } from 'node:os';
import type { RuntimeFailure } from '@weft/runtimes';
import { DiskGuard, type Watched } from './disk-guard.js';
import type { Disks } from './disks.js';

const MIB = 1024 ** 2;
const RESERVE = 10 * MIB;
const WAIT_MS = 600_000;

class World {
  freeMiB = 90;
  readonly heldMiB = new Map<string, number>();
  readonly told: string[] = [];
  readonly ended: string[] = [];
  readonly failures: RuntimeFailure[] = [];
  private due: { ms: number; work: () => void }[] = [];

  readonly disks: Disks = {
    spaceNow: () => ({ freeBytes: this.freeMiB * MIB, totalBytes: 100 * MIB }),
    space: () => Promise.resolve({ freeBytes: this.freeMiB * MIB, totalBytes: 100 * MIB }),
    held: (tasks) => Promise.resolve(tasks.map(({ key }) => ({ key, heldBytes: (this.heldMiB.get(key) ?? 0) * MIB }))),
  };
  readonly guard = new DiskGuard({
    ...{ sandboxRoot: tmpdir(), others: [tmpdir(), '/there/is/none'], reserveBytes: RESERVE, waitMs: WAIT_MS },
    tell: (text) => this.told.push(text),
    disks: this.disks,
    after: (ms, work) => {
      const entry = { ms, work };
      this.due.push(entry);
      return () => void (this.due = this.due.filter((other) => other !== entry));
    },
  });

  task(key: string, heldMiB: number, reservedMiB = 0): Watched {
    this.heldMiB.set(key, heldMiB);
    this.freeMiB -= heldMiB;
    return {
      ...{ key, directory: `/s/${key}`, reservedBytes: reservedMiB * MIB },
      end: (failure) => {
        this.ended.push(key);
        this.failures.push(failure);
      },
    };
  }

  /** The next look, and all that comes of it. */
  async look(): Promise<void> {
    const next = this.due.findIndex(({ ms }) => ms < WAIT_MS);
    for (const { work } of next < 0 ? [] : this.due.splice(next, 1)) work();
    await new Promise((done) => setImmediate(done));
  }

  async overdue(): Promise<void> {
    for (const { work } of this.due.filter(({ ms }) => ms === WAIT_MS)) work();
    await new Promise((done) => setImmediate(done));
  }

  get idle(): boolean {
    return this.due.length === 0;
  }

  wait(preparing: (text: string) => void = () => undefined, onUnwanted?: (act: () => void) => void): Promise<void> | undefined {
    return this.guard.available({ preparing, ...(onUnwanted && { onUnwanted }) });
  }
}

let world: World;
beforeEach(() => (world = new World()));

describe('a beginning', () => {
  it('waits for nothing where there is room', () => {
    expect([world.wait(), world.guard.lacks(), world.idle]).toEqual([undefined, undefined, true]);
  });

  it('waits below the reserve, says for what, and goes on when there is room', async () => {
    world.freeMiB = 9.5;
    const said: string[] = [];
    const waiting = world.wait((text) => said.push(text));
    expect(said).toEqual([
      expect.stringMatching(/^the disk of .* has 9.5 MiB of 100.0 MiB free; weft keeps 10.0 MiB of it free \(WEFT_DISK_RESERVE_MIB\)/),
    ]);
    await world.look();
    world.freeMiB = 10.5;
    await world.look();
    await waiting;
    expect(world.told).toEqual([expect.stringContaining('9.5 MiB'), 'the disks have room again: tasks begin']);
    expect(world.idle).toBe(true);
  });

  it('fails when it has waited long, so that another runner may have it', async () => {
    world.freeMiB = 1;
    const waiting = expect(world.wait()).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true });
    await world.overdue();
    await waiting;
    await world.look();
    expect(world.idle).toBe(true);
  });

  it('waits no longer when it is unwanted', async () => {
    world.freeMiB = 1;
    let act = (): void => undefined;
    const waiting = expect(world.wait(undefined, (given) => (act = given))).rejects.toMatchObject({ code: 'DISK_FULL' });
    act();
    await waiting;
  });
});

it('a log is written while there is twice the reserve', () => {
  expect([30, 20, 19].map((free) => ((world.freeMiB = free), world.guard.hasSpare()))).toEqual([true, true, false]);
});

describe('tasks that run', () => {
  it('are left alone while there is room, and none is looked after when none runs', async () => {
    const stop = world.guard.watch(world.task('a', 50));
    await world.look();
    expect([world.ended, world.idle]).toEqual([[], false]);
    stop();
    await world.look();
    expect(world.idle).toBe(true);
  });

  it('between the reserve and its half none begins and none is ended', async () => {
    world.guard.watch(world.task('a', 83));
    await world.look();
    expect([world.ended, world.guard.lacks() !== undefined]).toEqual([[], true]);
  });

  it('below half of it the one that holds the most is ended, for good, and no other until that has gone', async () => {
    const stops = new Map(
      [world.task('small', 2), world.task('greedy', 54), world.task('other', 30)].map((task) => [task.key, world.guard.watch(task)]),
    );
    await world.look();
    expect(world.ended).toEqual(['greedy']);
    expect(world.failures[0]).toMatchObject({
      code: 'DISK_FULL',
      retryable: false,
      message: expect.stringMatching(/what it made takes 54.0 MiB, more than that of any other, .* has 4.0 MiB/),
    });
    await world.look();
    expect(world.ended).toEqual(['greedy']);
    stops.get('greedy')?.();
    await world.look();
    expect(world.ended).toEqual(['greedy', 'other']);
  });

  it('one that took no more than was kept for it may be tried again', async () => {
    world.guard.watch(world.task('a', 87, 90));
    await world.look();
    expect(world.failures).toMatchObject([{ retryable: true }]);
  });

  it('none is ended for what others wrote', async () => {
    world.guard.watch(world.task('a', 0.5));
    world.freeMiB = 0;
    await world.look();
    expect(world.ended).toEqual([]);
  });

  it('nor where it was enough that one ended meanwhile', async () => {
    world.guard.watch(world.task('a', 87));
    const { held } = world.disks;
    world.disks.held = async (tasks) => {
      world.freeMiB = 50;
      return held(tasks);
    };
    await world.look();
    expect(world.ended).toEqual([]);
  });
});

describe('a task that ended by itself', () => {
  it.each([
    ['failed on a disk with room', 20, 3, undefined],
    ['failed on a full disk that it had filled', 88, 1, false],
    ['failed on a full disk that others had filled', 0.1, 1, true],
    ['succeeded on a full disk with much', 88, 0, false],
    ['succeeded on a full disk with little', 0.1, 0, undefined],
  ])('%s', async (_what, heldMiB, exitCode, retryable) => {
    const { end: _end, ...task } = world.task('a', heldMiB);
    if (heldMiB < 1) world.freeMiB = 2;
    const failure = await world.guard.atEnd(task, exitCode);
    expect(failure?.retryable).toBe(retryable);
    if (failure)
      expect(failure).toMatchObject({
        code: 'DISK_FULL',
        message: expect.stringContaining(exitCode === 0 ? 'ended well, but what it made takes' : 'exit code 1; what it made takes'),
      });
  });
});

it('with a reserve of nothing nothing is watched', async () => {
  const guard = new DiskGuard({
    sandboxRoot: tmpdir(),
    others: [],
    reserveBytes: 0,
    waitMs: 0,
    tell: () => undefined,
    disks: { ...world.disks, spaceNow: () => ({ freeBytes: 0, totalBytes: 1 }) },
  });
  expect(guard.lacks()).toBeUndefined();
  expect(await guard.atEnd({ key: 'a', directory: '/a', reservedBytes: 0 }, 1)).toBeUndefined();
});
