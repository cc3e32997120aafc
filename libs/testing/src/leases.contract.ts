/** The contract of Leases and TaskCancels: what scheduler replicas have between them. Part of run-store.contract.ts. */
import { type AttemptRef, type Lease, PARTITIONS } from '@weft/run-store';
import { Inbox } from './gate.js';
import { type RunStoreFixture, leaseOf } from './run-store.fixture.js';

export function leasesContract(get: () => RunStoreFixture): void {
  const partitions = (leases: Lease[]): number[] => leases.map((lease) => lease.partition).sort((a, b) => a - b);

  it('shares partitions out without overlap, as many as wanted', async () => {
    const { one, two } = get();
    const some = await one.leases.acquire('owner-1', 600_000, 10);
    expect(some).toHaveLength(10);
    const rest = await two.leases.acquire('owner-2', 600_000);
    expect(rest).toHaveLength(PARTITIONS - 10);
    expect(partitions([...some, ...rest])).toEqual(Array.from({ length: PARTITIONS }, (_, n) => n));
  });

  it('gives an owner what it holds again, with the same token', async () => {
    const { one } = get();
    const byPartition = (a: Lease, b: Lease): number => a.partition - b.partition;
    const first = await one.leases.acquire('owner-1', 600_000, 3);
    expect((await one.leases.acquire('owner-1', 600_000, 3)).sort(byPartition)).toEqual([...first].sort(byPartition));
    expect(await one.leases.acquire('owner-1', 600_000, 1)).toHaveLength(3);
    expect(await one.leases.acquire('owner-1', 600_000, 5)).toHaveLength(5);
  });

  it('hands lapsed and released partitions on, with a greater token', async () => {
    const { one, two } = get();
    const lapsed = await leaseOf(one, 'r-1', 'owner-1', 0);
    const second = await leaseOf(two, 'r-1', 'owner-2');
    expect(second.token).toBeGreaterThan(lapsed.token);
    expect(await one.leases.renew(lapsed, 600_000)).toBe(false);
    await one.leases.release(lapsed);
    expect(await one.leases.acquire('owner-3', 600_000)).toEqual([]);
    await two.leases.release(second);
    const third = await leaseOf(one, 'r-1', 'owner-3');
    expect(third.token).toBeGreaterThan(second.token);
    expect(await two.leases.renew(second, 600_000)).toBe(false);
  });

  it('counts an owner that let its lease lapse as a new one', async () => {
    const { one } = get();
    const lapsed = await leaseOf(one, 'r-1', 'owner-1', 0);
    expect((await leaseOf(one, 'r-1', 'owner-1')).token).toBeGreaterThan(lapsed.token);
  });

  it('renews, also what lapsed while nobody wanted it', async () => {
    const { one, two } = get();
    const lease = await leaseOf(one, 'r-1', 'owner-1', 0);
    expect(await one.leases.renew(lease, 600_000)).toBe(true);
    expect((await two.leases.acquire('owner-2', 600_000)).map(({ partition }) => partition)).not.toContain(lease.partition);
  });
}

export function replicasContract(get: () => RunStoreFixture): void {
  it('know of each other until they go or fall silent', async () => {
    const { one, two } = get();
    expect(await one.leases.announce('a', 600_000)).toEqual(['a']);
    expect(await two.leases.announce('b', 600_000)).toEqual(['a', 'b']);
    await one.leases.withdraw('a');
    expect(await two.leases.announce('b', 600_000)).toEqual(['b']);
    await one.leases.announce('silent', -1);
    expect(await two.leases.announce('b', 600_000)).toEqual(['b']);
  });

  it('hear who comes and goes, and of leases that are given back', async () => {
    const { one, two } = get();
    const news = new Inbox<string>();
    const stop = await two.leases.watch(() => news.push('news'));
    await one.leases.announce('a', 600_000);
    await news.atLeast(1);
    await one.leases.announce('a', 600_000);
    const [lease] = (await one.leases.acquire('a', 600_000, 1)) as [Lease];
    await one.leases.release(lease);
    await news.atLeast(2);
    await one.leases.withdraw('a');
    expect(await news.atLeast(3)).toHaveLength(3);
    await one.leases.release(lease);
    await one.leases.withdraw('a');
    expect(news.items).toHaveLength(3);
    await stop();
  });

  it('ask each other to stop attempts', async () => {
    const { one, two } = get();
    const asked = new Inbox<AttemptRef[]>();
    const stop = await two.cancels.subscribe(asked.push);
    await one.cancels.send([]);
    await one.cancels.send([
      { taskId: 'r-1-a.b', attempt: 1 },
      { taskId: 'r-1-c', attempt: 12 },
    ]);
    expect(await asked.atLeast(1)).toEqual([
      [
        { taskId: 'r-1-a.b', attempt: 1 },
        { taskId: 'r-1-c', attempt: 12 },
      ],
    ]);
    await stop();
  });
}
