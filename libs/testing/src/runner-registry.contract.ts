/** The contract of RunnerRegistry, for the fake and for every adapter. */
import type { RunnerRecord, RunnerRegistry } from '@weft/registry';
import { aRunner } from './builders.js';
import { Inbox } from './gate.js';

/** Two registries over the same, empty data, as two processes have them. */
export interface RunnerRegistryFixture {
  one: RunnerRegistry;
  two: RunnerRegistry;
  close(): Promise<void>;
}

export function runnerRegistryContract(open: () => Promise<RunnerRegistryFixture>): void {
  let fixture: RunnerRegistryFixture;
  const LONG_MS = 600_000;
  const ids = async (from: RunnerRegistry, pool?: string): Promise<string[]> => (await from.list(pool)).map((runner) => runner.runnerId);
  const watched = async (registry: RunnerRegistry): Promise<{ changes: Inbox<string>; stop: () => Promise<void> }> => {
    const changes = new Inbox<string>();
    return { changes, stop: await registry.watch(() => changes.push('changed')) };
  };

  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(() => fixture.close());

  it('lists what was registered, by pool', async () => {
    const { one, two } = fixture;
    expect(await two.list()).toEqual([]);
    await one.register(aRunner({ runnerId: 'b', labels: { zone: 'ä' } }), LONG_MS);
    await one.register(aRunner({ runnerId: 'a', pool: 'gpu' }), LONG_MS);
    expect(await ids(two)).toEqual(['a', 'b']);
    expect(await ids(two, 'gpu')).toEqual(['a']);
    expect(await ids(two, 'none')).toEqual([]);
    const [listed] = await two.list('default');
    const { lastSeenMs, ...rest } = listed as RunnerRecord;
    expect(rest).toEqual(aRunner({ runnerId: 'b', labels: { zone: 'ä' } }));
    expect(lastSeenMs).toBeGreaterThan(0);
  });

  it('replaces a registration, and forgets who deregisters', async () => {
    const { one, two } = fixture;
    await one.register(aRunner(), LONG_MS);
    await two.register(aRunner({ draining: true }), LONG_MS);
    expect(await one.list()).toMatchObject([{ runnerId: 'runner-1', draining: true }]);
    await one.deregister('runner-1');
    await one.deregister('never-there');
    expect(await two.list()).toEqual([]);
  });

  it('keeps what operators drain apart from registrations, over restarts of the runner', async () => {
    const { one, two } = fixture;
    const { changes, stop } = await watched(two);
    await one.register(aRunner(), LONG_MS);
    expect([await one.drain('runner-1', true), await two.drain('runner-1', true)]).toEqual([true, false]);
    await changes.atLeast(2);
    await one.register(aRunner(), LONG_MS);
    expect(await two.list()).toMatchObject([{ runnerId: 'runner-1', draining: true }]);
    await one.deregister('runner-1');
    expect(await two.list()).toEqual([]);
    expect(await two.drained()).toEqual(['runner-1']);
    await one.register(aRunner(), LONG_MS);
    expect(await two.list()).toMatchObject([{ draining: true }]);
    expect([await two.drain('runner-1', false), await two.drain('runner-1', false)]).toEqual([true, false]);
    expect(await one.list()).toMatchObject([{ draining: false }]);
    await one.register(aRunner({ draining: true }), LONG_MS);
    expect(await one.list()).toMatchObject([{ draining: true }]);
    expect(await one.drained()).toEqual([]);
    await stop();
  });

  it('lists the load and the disk of the last heartbeat, which are no news', async () => {
    const { one, two } = fixture;
    const { changes, stop } = await watched(two);
    await one.register(aRunner(), LONG_MS);
    await changes.atLeast(1);
    const load = { inUse: { cores: 2, ramBytes: 5, diskBytes: 7, gpus: 0 }, tasksAdmitted: 1, tasksWaiting: 3 };
    const capacity = { ...aRunner().capacity, diskBytes: 12 };
    await one.register(aRunner({ load, capacity }), LONG_MS);
    expect(await two.list()).toMatchObject([{ load, capacity }]);
    await one.register(aRunner({ labels: { a: 'b' } }), LONG_MS);
    await changes.atLeast(2);
    await one.register(aRunner({ labels: { a: 'b' }, load }), LONG_MS);
    await one.deregister('runner-1');
    await changes.atLeast(3);
    expect(changes.items).toHaveLength(3);
    await stop();
  });

  it('does not list who has lapsed, until it registers again', async () => {
    const { one, two } = fixture;
    await one.register(aRunner(), LONG_MS);
    await one.register(aRunner(), 0);
    await one.register(aRunner({ runnerId: 'runner-2' }), LONG_MS);
    expect(await ids(two)).toEqual(['runner-2']);
    await one.register(aRunner(), LONG_MS);
    expect(await ids(two)).toEqual(['runner-1', 'runner-2']);
  });

  it('tells watchers of what is new, changed or gone, and of nothing else', async () => {
    const { one, two } = fixture;
    const { changes, stop } = await watched(two);
    await one.register(aRunner(), LONG_MS);
    await changes.atLeast(1);
    await one.register(aRunner(), LONG_MS);
    await one.register(Object.fromEntries(Object.entries(aRunner()).reverse()) as unknown as RunnerRecord, LONG_MS);
    await one.register(aRunner({ draining: true }), LONG_MS);
    await changes.atLeast(2);
    await one.deregister('never-there');
    await one.deregister('runner-1');
    await changes.atLeast(3);
    await stop();
    const after = await watched(two);
    await one.register(aRunner(), LONG_MS);
    await after.changes.atLeast(1);
    expect(changes.items).toHaveLength(3);
    expect(after.changes.items).toHaveLength(1);
    await after.stop();
  });

  it('tells watchers when a lapsed runner is back', async () => {
    const { one, two } = fixture;
    const { changes, stop } = await watched(two);
    await one.register(aRunner(), 0);
    await one.register(aRunner(), LONG_MS);
    await changes.atLeast(2);
    await stop();
  });
}
