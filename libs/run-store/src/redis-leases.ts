/** Leases over partitions, and the replicas that share them. Time is Redis' time, so the clocks of hosts do not matter. */
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import { type Lease, type Leases, PARTITIONS, partitionOf } from './ports.js';
import { type RunScript, defineScript } from './redis-script.js';
import { acquireLease, announceReplica, releaseLease, renewLease, withdrawReplica } from './scripts/leases.lua.js';
import type { Subscriptions } from './subscriptions.js';

export class RedisLeases implements Leases {
  private readonly acquireLease: RunScript;
  private readonly renewLease: RunScript;
  private readonly releaseLease: RunScript;
  private readonly announceReplica: RunScript;
  private readonly withdrawReplica: RunScript;

  constructor(
    redis: Redis,
    private readonly keys: Keys,
    private readonly subscriptions: Subscriptions,
  ) {
    this.acquireLease = defineScript(redis, acquireLease);
    this.renewLease = defineScript(redis, renewLease);
    this.releaseLease = defineScript(redis, releaseLease);
    this.announceReplica = defineScript(redis, announceReplica);
    this.withdrawReplica = defineScript(redis, withdrawReplica);
  }

  async announce(owner: string, ttlMs: number): Promise<string[]> {
    const live = (await this.announceReplica([this.keys.replicas()], [owner, ttlMs, this.keys.replicaNews()])) as string[];
    return live.sort();
  }

  async withdraw(owner: string): Promise<void> {
    await this.withdrawReplica([this.keys.replicas()], [owner, this.keys.replicaNews()]);
  }

  watch(onChange: () => void): Promise<() => Promise<void>> {
    return this.subscriptions.subscribe(this.keys.replicaNews(), {
      what: 'news of replicas',
      onMessage: onChange,
      onReset: onChange,
      onClose: () => undefined,
    });
  }

  async acquire(owner: string, ttlMs: number, want = PARTITIONS): Promise<Lease[]> {
    // Each owner starts elsewhere, so that replicas that start together do not all try for the same ones.
    const start = partitionOf(owner);
    const order = Array.from({ length: PARTITIONS }, (_, i) => (start + i) % PARTITIONS);
    const held = await this.try(owner, ttlMs, order, false);
    const mine = new Set(held.map((lease) => lease.partition));
    const others = order.filter((partition) => !mine.has(partition));
    while (held.length < want && others.length > 0) {
      for (const lease of await this.try(owner, ttlMs, others.splice(0, want - held.length), true)) held.push(lease);
    }
    return held;
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    return (await this.renewLease([this.keys.lease(lease.partition)], [lease.owner, lease.token, ttlMs])) === 1;
  }

  async release(lease: Lease): Promise<void> {
    await this.releaseLease([this.keys.lease(lease.partition)], [lease.owner, lease.token, this.keys.replicaNews()]);
  }

  private async try(owner: string, ttlMs: number, partitions: number[], take: boolean): Promise<Lease[]> {
    const tokens = await Promise.all(partitions.map((p) => this.acquireLease([this.keys.lease(p)], [owner, ttlMs, take ? '1' : '0'])));
    return partitions.flatMap((partition, i) => (tokens[i] === null ? [] : [{ partition, owner, token: Number(tokens[i]) }]));
  }
}
