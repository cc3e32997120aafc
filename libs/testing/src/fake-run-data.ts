/** What the stores in memory share, as processes share one Redis. */
import type { Plan } from '@weft/plan';
import { type AttemptRef, type LogEntry, PARTITIONS, type RunHeader, type TaskLogChunk, partitionOf } from '@weft/run-store';
import type { HeldLease } from './fake-leases.js';

export type Event = LogEntry['event'];
type Listener = (runId: string, sequence: number) => void;

export interface FakeRun {
  header: RunHeader;
  /** JSON texts. */
  objects: { inputs?: string; outputs?: string };
  log: LogEntry[];
  sealed: boolean;
  idempotencyKey: string | undefined;
  taskLog: Kept[];
  /** Of the task log: what went, and attempts whose chunks go last, the newest first. */
  gone: { lines: number; bytes: number };
  kept: string[];
}

export type Kept = TaskLogChunk & { cursor: string };

/** What Redis would hold. */
export class FakeRunStoreData {
  readonly runs = new Map<string, FakeRun>();
  readonly plans = new Map<string, Plan>();
  /** Ids of runs that somebody has removed. */
  readonly removed = new Set<string>();
  readonly idempotency = new Map<string, string>();
  /** What each key was used for, where its user said so. */
  readonly fingerprints = new Map<string, string>();
  readonly leases = new Map<number, HeldLease>();
  /** Until when each replica lives. */
  readonly replicas = new Map<string, number>();
  readonly replicaNews = new Set<() => void>();
  readonly cancels = new Set<(attempts: AttemptRef[]) => void>();
  readonly nudged = new Map<number, Set<Listener>>();
  readonly logged = new Set<(runId: string) => void>();
  chunks = 0;
  newestArchived: string | undefined;
  readonly archived = { runs: 0, bytes: 0 };
  /** As the adapter's option. */
  isArchived: (runId: string) => Promise<boolean> = async () => false;

  /** `nowMs` is Redis' clock and the writers' clock in one. `partitions`: those that can be leased. */
  constructor(
    readonly nowMs: () => number = Date.now,
    readonly partitions: readonly number[] = Array.from({ length: PARTITIONS }, (_, partition) => partition),
  ) {}

  /** Told when the store lost its newest writes, as those are that reconnect to one that was restarted. */
  readonly resets = new Set<() => void>();

  /** Remembers what it holds. The function it returns makes it hold that again: a restart that lost what was written since. */
  snapshot(): () => void {
    const runs = [...this.runs].map(([runId, run]) => ({ runId, run: { ...run, objects: { ...run.objects }, log: [...run.log] } }));
    const [leases, replicas, idempotency, removed] = [[...this.leases], [...this.replicas], [...this.idempotency], [...this.removed]];
    return () => {
      this.runs.clear();
      for (const { runId, run } of runs) this.runs.set(runId, { ...run, objects: { ...run.objects }, log: [...run.log] });
      refill(this.leases, leases);
      refill(this.replicas, replicas);
      refill(this.idempotency, idempotency);
      this.removed.clear();
      for (const runId of removed) this.removed.add(runId);
      for (const tell of [...this.resets]) tell();
    };
  }

  nudge(runId: string, sequence: number): void {
    for (const tell of [...(this.nudged.get(partitionOf(runId)) ?? [])]) tell(runId, sequence);
  }

  listen(partition: number, listener: Listener): () => void {
    const listeners = this.nudged.get(partition) ?? new Set();
    this.nudged.set(partition, listeners.add(listener));
    return () => void listeners.delete(listener);
  }
}

function refill<K, V>(map: Map<K, V>, entries: [K, V][]): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}
