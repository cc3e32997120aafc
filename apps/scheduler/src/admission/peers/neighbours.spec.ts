import { createLogger } from '@weft/platform';
import { ForeignMessageError } from '@weft/run-store';
import type { Demand } from './demand.js';
import { createReleaseWindow } from '../release-window.js';
import { Neighbours } from './neighbours.js';

/** Replicas that hear each other at once, and a clock that the test turns. */
class Town {
  nowMs = 0;
  readonly said: string[] = [];
  private readonly listeners: ((message: string) => void)[] = [];
  /** Somebody says something on the channel. */
  say(message: string): void {
    for (const listener of this.listeners) listener(message);
  }

  private work: { atMs: number; work: () => void }[] = [];

  async replica(name: string): Promise<{ neighbours: Neighbours; changes: string[] }> {
    const changes: string[] = [];
    const neighbours = new Neighbours({
      name,
      channel: {
        publish: async (message) => {
          this.said.push(message);
          for (const listener of this.listeners) listener(message);
        },
        subscribe: async (listener) => void this.listeners.push(listener),
      },
      weightOf: () => 1,
      logger: createLogger('test', 'silent'),
      clock: {
        now: () => this.nowMs,
        after: (delayMs, work) => (this.work.push({ atMs: this.nowMs + delayMs, work }), (): void => undefined),
      },
    });
    await neighbours.start((pool) => changes.push(pool));
    return { neighbours, changes };
  }

  pass(ms: number): void {
    for (const until = this.nowMs + ms; ;) {
      const [next] = this.work.filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs);
      this.nowMs = next?.atMs ?? until;
      if (!next) return;
      this.work = this.work.filter((one) => one !== next);
      next.work();
    }
  }
}

const waits =
  (priority: number, project = 'p', runs = 1) =>
  (): Demand => ({ priority, runs: new Map([[project, runs]]) });
/** Of a pool of eight cores. */
const window = createReleaseWindow(
  () => 8,
  () => 0,
);
const nothing = (): undefined => undefined;

it.each(['', 'no JSON', '{', 'null', '[]', '{"from":"x"}', '{"from":"x","pool":"default","demand":{"priority":"high"}}', '\u0000'])(
  'what is said in other words (%j) is refused and counts for nothing',
  async (message) => {
    const town = new Town();
    const { neighbours, changes } = await town.replica('one');
    expect(() => town.say(message)).toThrow(ForeignMessageError);
    expect(changes).toEqual([]);
    expect(neighbours.sizeOf('default', window, waits(0))).toBe(8);
  },
);

it('replicas that somebody makes up take no room without end, and are forgotten', async () => {
  const town = new Town();
  await town.replica('one');
  const madeUp = (n: number): string => JSON.stringify({ from: `x${n}`, pool: `pool-${n % 7}`, demand: { priority: 0, runs: [['p', 1]] } });
  for (let n = 0; n < 4_096; n++) town.say(madeUp(n));
  expect(() => town.say(madeUp(5_000))).toThrow(ForeignMessageError);
  town.pass(4_000);
  town.say(madeUp(5_000));
});

it('a replica that has less urgent tasks gives way to another as long as that one says so', async () => {
  const town = new Town();
  const [{ neighbours: low, changes }, { neighbours: high }] = [await town.replica('low'), await town.replica('high')];
  low.tell('default', waits(0));
  expect(low.sizeOf('default', window, waits(0))).toBe(8);
  let mine: Demand | undefined = waits(5)();
  high.tell('default', () => mine);
  expect([low.sizeOf('default', window, waits(0)), high.sizeOf('default', window, waits(5))]).toEqual([1, 8]);
  expect(low.sizeOf('other pool', window, waits(0))).toBe(8);
  mine = undefined;
  changes.length = 0;
  town.pass(250);
  expect(low.sizeOf('default', window, waits(0))).toBe(8);
  expect(changes).toContain('default');
});

it('what a replica said that fell silent is forgotten, and those who wait hear of it', async () => {
  const town = new Town();
  const [{ neighbours: low, changes }, { neighbours: high }] = [await town.replica('low'), await town.replica('high')];
  low.tell('default', waits(0));
  let silent = false;
  high.tell('default', () => {
    if (silent) throw new Error('killed');
    return waits(5)();
  });
  town.pass(10_000);
  expect(low.sizeOf('default', window, waits(0))).toBe(1);
  silent = true;
  expect(() => town.pass(250)).toThrow('killed');
  changes.length = 0;
  town.pass(5_000);
  expect(low.sizeOf('default', window, waits(0))).toBe(8);
  expect(changes).toContain('default');
});

it('says nothing while nothing waits, and no more than once a second while nothing changes', async () => {
  const town = new Town();
  const { neighbours } = await town.replica('a');
  neighbours.tell('default', nothing);
  town.pass(10_000);
  expect(town.said).toEqual([]);
  let mine: Demand | undefined = waits(0)();
  for (let n = 0; n < 100; n++) neighbours.tell('default', () => mine);
  town.pass(10_000);
  expect(town.said).toHaveLength(11);
  mine = undefined;
  town.pass(10_000);
  expect(town.said).toHaveLength(12);
});

it('divides what a project may claim by where its runs wait', async () => {
  const town = new Town();
  const [{ neighbours: a }, { neighbours: b }] = [await town.replica('a'), await town.replica('b')];
  a.tell('default', waits(0, 'p', 1));
  b.tell('default', waits(0, 'p', 3));
  town.pass(250);
  expect([a.partOfProject('default', 'p'), b.partOfProject('default', 'p'), a.partOfProject('default', 'q')]).toEqual([1 / 4, 3 / 4, 1]);
});

it('one that closes says that nothing waits there any more', async () => {
  const town = new Town();
  const [{ neighbours: low }, { neighbours: high }] = [await town.replica('low'), await town.replica('high')];
  high.tell('default', waits(5));
  await high.close();
  expect(low.sizeOf('default', window, waits(0))).toBe(8);
});

it('of several that give way, one at a time has a task released, in turn', async () => {
  const town = new Town();
  const { neighbours: high } = await town.replica('high');
  const low = await Promise.all(['a', 'b', 'c'].map((name) => town.replica(name)));
  high.tell('default', waits(5));
  for (const { neighbours } of low) neighbours.tell('default', waits(0));
  const turns = Array.from({ length: 6 }, () => {
    town.pass(5_000);
    return low.map(({ neighbours }) => neighbours.sizeOf('default', window, waits(0)));
  });
  expect(new Set(turns.map((turn) => turn.join()))).toEqual(new Set(['1,0,0', '0,1,0', '0,0,1']));
});
