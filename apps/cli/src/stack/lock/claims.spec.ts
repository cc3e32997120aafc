import fc from 'fast-check';
import { type ClaimFolder, type HeldClaim, lookAtClaim, makeClaim } from './claims.js';
import type { Place } from './place.js';

/**
 * A file system that hosts share: changes are atomic, and a host may be shown a listing that is old, but not older than its own last change.
 */
class SharedFolder {
  private readonly files = new Map<string, string>();
  private readonly listings: string[][] = [[]];

  /** @param pick which of so many listings, 0 the oldest, a host is shown */
  seenBy(pick: (count: number) => number): ClaimFolder {
    let ownChange = 0;
    const change = (): void => {
      this.listings.push([...this.files.keys()]);
      ownChange = this.listings.length - 1;
    };
    return {
      names: async () => {
        const possible = this.listings.slice(ownChange);
        return possible[pick(possible.length)] ?? [];
      },
      read: async (name) => this.files.get(name),
      create: async (name, content) => {
        if (this.files.has(name)) return false;
        this.files.set(name, content);
        change();
        return true;
      },
      overwrite: async (name, content) => {
        this.files.set(name, content);
        change();
      },
      remove: async (name) => {
        this.files.delete(name);
        change();
      },
    };
  }
}

/** One supervisor after the other on one host; some let go, some die, and the kernel of the host knows which. */
class Host {
  private pid = 0;
  private alive = false;
  held: HeldClaim | undefined;

  constructor(
    private readonly place: Place,
    private readonly folder: ClaimFolder,
    private readonly isDead: (token: string) => boolean,
  ) {}

  get token(): string {
    return `${this.place.bootId}-${this.place.pidNamespace}-${this.pid}`;
  }

  async tryToTake(): Promise<void> {
    this.pid += 1;
    this.alive = true;
    const seen = await lookAtClaim(this.folder, this.place, ({ pid }) => this.alive && pid === this.pid && this.held !== undefined);
    const silent = seen?.verdict === 'watch' && seen.claim !== 'unreadable' && this.isDead(seen.claim.token);
    if (seen !== undefined && !['free', 'dead'].includes(seen.verdict) && !silent) return;
    const claim = { token: this.token, place: this.place, process: { pid: this.pid, startedAt: 's' }, socket: '', since: '' };
    this.held = await makeClaim(this.folder, seen, claim);
    await this.held?.beat();
    await this.held?.tidy();
  }

  async letGo(): Promise<void> {
    const { held } = this;
    this.held = undefined;
    await held?.release();
  }

  die(): void {
    this.alive = false;
    this.held = undefined;
  }
}

const steps = fc.array(fc.record({ host: fc.nat({ max: 3 }), act: fc.constantFrom('take', 'take', 'letGo', 'die') }), {
  minLength: 1,
  maxLength: 40,
});
const places: Place[] = [
  { host: 'a', machineId: 'm', bootId: 'b1', pidNamespace: 'pid:[1]' },
  { host: 'a', machineId: 'm', bootId: 'b1', pidNamespace: 'pid:[2]' },
  { host: 'b', machineId: 'm', bootId: 'b2', pidNamespace: 'pid:[4026531836]' },
  { host: 'c', machineId: 'm3', bootId: 'b3', pidNamespace: 'pid:[4026531836]' },
];

it('never has two holders, in whatever order the steps of hosts come, and however old the listings are that they are shown', async () => {
  let takeovers = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      steps,
      fc.boolean(),
      fc.infiniteStream(fc.nat({ max: 1_000 })),
      async (scheduler, plan, inTurn, picks) => {
        const shared = new SharedFolder();
        const dead = new Set<string>();
        const pick = (count: number): number => (picks.next().value as number) % count;
        const hosts = places.map((place) => {
          const folder = shared.seenBy(pick);
          const slow = Object.fromEntries(
            Object.entries(folder).map(([name, call]) => [
              name,
              (...args: unknown[]) => scheduler.schedule(Promise.resolve()).then(() => (call as (...given: unknown[]) => unknown)(...args)),
            ]),
          ) as unknown as ClaimFolder;
          return new Host(place, slow, (token) => dead.has(token));
        });
        const queues = hosts.map(() => Promise.resolve());
        const check = (): void => {
          const holders = hosts.filter(({ held }) => held !== undefined).map(({ token }) => token);
          expect(holders.length).toBeLessThanOrEqual(1);
        };
        for (const { host: index, act } of plan) {
          const host = hosts[index];
          if (host === undefined) continue;
          // In turn: what is old then is only what a host is shown.
          const queue = inTurn ? 0 : index;
          queues[queue] = (queues[queue] ?? Promise.resolve()).then(async () => {
            if (act === 'take' && host.held === undefined) {
              await host.tryToTake();
              if (host.held !== undefined) takeovers += 1;
            } else if (act === 'letGo') await host.letGo();
            else if (act === 'die' && host.held !== undefined) {
              dead.add(host.token);
              host.die();
            }
            check();
          });
        }
        await scheduler.waitFor(Promise.all(queues));
      },
    ),
    { numRuns: 300 },
  );
  // A lock that nobody ever gets would pass, too.
  expect(takeovers).toBeGreaterThan(300);
});

it('ends a holder that was followed, and one whose folder was removed', async () => {
  const folder = new SharedFolder().seenBy((count) => count - 1);
  const claim = (token: string, place: Place) => ({ token, place, process: { pid: 1, startedAt: 's' }, socket: '', since: '' });
  const [first, second] = places as [Place, Place, ...Place[]];
  const held = await makeClaim(folder, undefined, claim('one', first));
  expect(await held?.stillCounts()).toBe(true);
  const seen = await lookAtClaim(folder, second, () => false);
  expect(await makeClaim(folder, seen, claim('two', second))).toBeDefined();
  expect(await held?.stillCounts()).toBe(false);
  expect(await makeClaim(folder, seen, claim('three', first))).toBeUndefined();
  for (const name of await folder.names()) await folder.remove(name);
  expect(await held?.stillCounts()).toBe(false);
});

it('a claim is none that follows a listing which is older than all claims that are kept', async () => {
  const shared = new SharedFolder();
  const folder = shared.seenBy((count) => count - 1);
  const [first, second] = places as [Place, Place, ...Place[]];
  const claim = (token: string, place: Place) => ({ token, place, process: { pid: 1, startedAt: 's' }, socket: '', since: '' });
  for (let number = 1; number <= 12; number += 1) {
    const held = await makeClaim(folder, await lookAtClaim(folder, first, () => false), claim(`${number}`, first));
    await held?.tidy();
  }
  // The name of the first one is free again, and who is shown the first listing knows of none.
  expect(await folder.read('00000001')).toBeUndefined();
  const late = shared.seenBy(() => 0);
  const seen = await lookAtClaim(late, second, () => false);
  expect([seen, await makeClaim(late, seen, claim('late', second))]).toEqual([undefined, undefined]);
});
