/** Finished runs leaving the fake run store and coming back, as the port says. */
import {
  type Eviction,
  type Lease,
  type LogEntry,
  partitionOf,
  positionOf,
  type RestingRun,
  type RestingRunPages,
  type RunCounts,
  type RunRetention,
  type StoredChunk,
} from '@weft/run-store';
import type { FakeRunStoreData } from './fake-run-data.js';
import { goneOf } from './fake-task-logs.js';
import { copy } from './kept.js';

export class FakeRunRetention implements RunRetention {
  constructor(private readonly data: FakeRunStoreData) {}

  async ended(partition: number, limit: number): Promise<{ runId: string; endedAtMs: number }[]> {
    return [...this.data.runs]
      .filter(([runId, run]) => run.sealed && partitionOf(runId) === partition)
      .map(([runId, run]) => ({ runId, endedAtMs: run.log.at(-1)?.atMs ?? 0 }))
      .sort((a, b) => a.endedAtMs - b.endedAtMs)
      .slice(0, limit);
  }

  async read(runId: string): Promise<RestingRunPages | undefined> {
    const run = this.data.runs.get(runId);
    if (!run?.sealed) return undefined;
    const { header, objects, log, taskLog, idempotencyKey } = copy(run);
    const chunks = [...goneOf(run), ...taskLog];
    return {
      ...{ header, sequence: log.length, idempotency: idempotencyKey ?? '', objects: async () => objects },
      ...{ entries: inPages(log), chunks: inPages(chunks) },
    };
  }

  async evict(lease: Lease, run: RestingRun, { cursor, bytes }: { cursor: string; bytes: number }): Promise<Eviction> {
    const { runId } = run.header;
    await this.noteArchived(positionOf(run.header));
    const held = this.data.leases.get(partitionOf(runId));
    const live = this.data.runs.get(runId);
    if (held?.owner !== lease.owner || held.token !== lease.token) return 'fenced';
    if (!live) return this.data.removed.has(runId) ? 'gone' : 'evicted';
    if (!live.sealed || live.log.length !== run.sequence || (live.taskLog.at(-1)?.cursor ?? '') !== cursor) return 'changed';
    this.data.runs.delete(runId);
    this.count(1, bytes);
    this.data.nudge(runId, 0);
    return 'evicted';
  }

  async restore(run: RestingRunPages, bytes: number): Promise<boolean> {
    const objects = copy(await run.objects());
    const [log, taskLog] = [await all<LogEntry>(run.entries), await all<StoredChunk>(run.chunks)];
    if (this.data.runs.has(run.header.runId)) return false;
    const idempotencyKey = run.idempotency === '' ? undefined : run.idempotency;
    this.data.runs.set(run.header.runId, {
      header: copy(run.header),
      objects,
      log,
      sealed: true,
      idempotencyKey,
      taskLog,
      gone: { lines: 0, bytes: 0 },
      kept: [],
    });
    this.count(-1, -bytes);
    return true;
  }

  async forget(run: RestingRun, bytes: number): Promise<void> {
    this.data.idempotency.delete(run.idempotency);
    this.count(-1, -bytes);
  }

  async newestArchived(): Promise<string | undefined> {
    return this.data.newestArchived;
  }

  async noteArchived(position: string): Promise<void> {
    if (this.data.newestArchived === undefined || this.data.newestArchived < position) this.data.newestArchived = position;
  }

  /** At once: nothing may rely on a plan to linger. */
  async releasePlan(hash: string): Promise<void> {
    this.data.plans.delete(hash);
  }

  async counts(): Promise<RunCounts> {
    const sealed = [...this.data.runs.values()].filter((run) => run.sealed).length;
    const { runs, bytes } = this.data.archived;
    return { active: this.data.runs.size - sealed, ended: sealed, archived: runs, archivedBytes: bytes };
  }

  private count(runs: number, bytes: number): void {
    this.data.archived.runs += runs;
    this.data.archived.bytes += bytes;
  }
}

async function* inPages<T>(items: T[]): AsyncGenerator<T[], void, undefined> {
  for (let first = 0; first < items.length; first += 100) yield items.slice(first, first + 100);
}

async function all<T>(pages: AsyncIterable<T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...copy(page));
  return items;
}
