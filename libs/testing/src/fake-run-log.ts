/** The logs of runs as their owners write them, in memory: same contract as the Redis adapter's. */
import { type CwlObject, type Plan, writeJson } from '@weft/plan';
import {
  type AppendResult,
  InvalidRequestError,
  type Lease,
  type LogEntry,
  type LogPosition,
  type RunHeader,
  type RunLog,
  type RunReader,
  partitionOf,
} from '@weft/run-store';
import type { Event, FakeRun, FakeRunStoreData } from './fake-run-data.js';
import { keep } from './kept.js';

export class FakeRunLog implements RunLog {
  constructor(
    private readonly data: FakeRunStoreData,
    private readonly reader: Pick<RunReader, 'read'>,
  ) {}

  async append(lease: Lease, runId: string, after: LogPosition, events: Event[]): Promise<AppendResult> {
    if (events.length === 0) throw new InvalidRequestError('an append needs at least one event');
    return this.write(lease, runId, after, events);
  }

  async seal(lease: Lease, header: RunHeader, after: LogPosition, ended: Event, outputs?: CwlObject): Promise<AppendResult> {
    return this.write(lease, header.runId, after, [ended], (run) => {
      run.header = keep(header);
      if (outputs !== undefined) run.objects.outputs = writeJson(outputs);
      run.sealed = true;
    });
  }

  async updateHeader(lease: Lease, header: RunHeader): Promise<boolean> {
    const run = this.data.runs.get(header.runId);
    if (!this.holds(lease, header.runId) || !run || run.sealed) return false;
    run.header = keep(header);
    return true;
  }

  read(runId: string, afterSequence: number): Promise<LogEntry[]> {
    return this.reader.read(runId, afterSequence);
  }

  async active(partition: number): Promise<string[]> {
    return [...this.data.runs].filter(([id, run]) => partitionOf(id) === partition && !run.sealed).map(([id]) => id);
  }

  async getPlan(hash: string): Promise<Plan | undefined> {
    return this.data.plans.get(hash);
  }

  private write(lease: Lease, runId: string, position: LogPosition, events: Event[], also?: (run: FakeRun) => void): AppendResult {
    if (!this.holds(lease, runId)) return { ok: false, reason: 'fenced' };
    const run = this.data.runs.get(runId);
    if (!run) return { ok: false, reason: 'gone' };
    const after = typeof position === 'number' ? position : position.sequence;
    if (typeof position !== 'number' && run.log[after - 1]?.atMs !== position.atMs) return { ok: false, reason: 'diverged' };
    const last = run.log.length;
    const sequence = after + events.length;
    const atMs = this.data.nowMs();
    if (last !== after || run.sealed) {
      const stored = run.log.slice(after, sequence);
      const one = (entry: LogEntry): boolean => entry.atMs === stored[0]?.atMs;
      const same =
        stored.length === events.length && stored.every((entry, i) => one(entry) && writeJson(entry.event) === writeJson(events[i]));
      return same ? { ok: true, sequence, atMs: stored[0]?.atMs ?? atMs } : { ok: false, reason: 'conflict', sequence: last };
    }
    events.forEach((event, i) => run.log.push({ sequence: after + i + 1, atMs, event: keep(event) }));
    also?.(run);
    this.data.nudge(runId, sequence);
    return { ok: true, sequence, atMs };
  }

  private holds(lease: Lease, runId: string): boolean {
    if (lease.partition !== partitionOf(runId)) throw new InvalidRequestError(`run ${runId} is not of partition ${lease.partition}`);
    const held = this.data.leases.get(lease.partition);
    return held?.owner === lease.owner && held.token === lease.token;
  }
}
