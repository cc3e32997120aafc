/** Leases, replicas and cancels in memory: same contract as the Redis adapter's. */
import { type AttemptRef, type Lease, type Leases, PARTITIONS, type TaskCancels } from '@weft/run-store';

export interface HeldLease {
  owner: string;
  token: number;
  expiresMs: number;
}

/** What Redis would hold. */
export interface FakeLeaseData {
  nowMs(): number;
  readonly partitions: readonly number[];
  readonly leases: Map<number, HeldLease>;
  readonly replicas: Map<string, number>;
  readonly replicaNews: Set<() => void>;
  readonly resets: Set<() => void>;
}

export class FakeLeases implements Leases {
  constructor(private readonly data: FakeLeaseData) {}

  async announce(owner: string, ttlMs: number): Promise<string[]> {
    const { replicas } = this.data;
    const now = this.data.nowMs();
    const came = !replicas.has(owner);
    replicas.set(owner, now + ttlMs);
    const gone = [...replicas].filter(([, untilMs]) => untilMs < now);
    for (const [name] of gone) replicas.delete(name);
    if (came || gone.length > 0) this.tell();
    return [...replicas.keys()].sort();
  }

  async withdraw(owner: string): Promise<void> {
    if (this.data.replicas.delete(owner)) this.tell();
  }

  async watch(onChange: () => void): Promise<() => Promise<void>> {
    const listener = (): void => onChange();
    this.data.replicaNews.add(listener);
    this.data.resets.add(listener);
    return async () => {
      this.data.replicaNews.delete(listener);
      this.data.resets.delete(listener);
    };
  }

  async acquire(owner: string, ttlMs: number, want = PARTITIONS): Promise<Lease[]> {
    const now = this.data.nowMs();
    const leases: Lease[] = [];
    const isMine = (held: HeldLease | undefined): boolean => held !== undefined && held.owner === owner && held.expiresMs > now;
    for (const partition of [...this.data.partitions].sort(
      (a, b) => Number(isMine(this.data.leases.get(b))) - Number(isMine(this.data.leases.get(a))),
    )) {
      const held = this.data.leases.get(partition);
      if (!isMine(held) && ((held && held.expiresMs > now) || leases.length >= want)) continue;
      const token = isMine(held) ? (held?.token ?? 0) : (held?.token ?? 0) + 1;
      this.data.leases.set(partition, { owner, token, expiresMs: now + ttlMs });
      leases.push({ partition, owner, token });
    }
    return leases;
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    const held = this.data.leases.get(lease.partition);
    if (held?.owner !== lease.owner || held.token !== lease.token) return false;
    this.data.leases.set(lease.partition, { ...held, expiresMs: this.data.nowMs() + ttlMs });
    return true;
  }

  async release(lease: Lease): Promise<void> {
    const held = this.data.leases.get(lease.partition);
    if (held?.owner !== lease.owner || held.token !== lease.token) return;
    this.data.leases.set(lease.partition, { ...held, owner: '', expiresMs: 0 });
    this.tell();
  }

  private tell(): void {
    for (const listener of [...this.data.replicaNews]) listener();
  }
}

export function fakeTaskCancels(data: { readonly cancels: Set<(attempts: AttemptRef[]) => void> }): TaskCancels {
  return {
    send: async (attempts) => {
      if (attempts.length > 0) for (const tell of [...data.cancels]) tell(attempts.map((attempt) => ({ ...attempt })));
    },
    subscribe: async (onCancel) => {
      const listener = (attempts: AttemptRef[]): void => onCancel(attempts);
      data.cancels.add(listener);
      return async () => void data.cancels.delete(listener);
    },
  };
}
