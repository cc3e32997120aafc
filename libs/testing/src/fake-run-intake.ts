/** Runs that are accepted, asked something of and taken up again, in memory: same contract as the Redis adapter's. */
import { canonicalJson, type Plan, writeJson } from '@weft/plan';
import { IdempotencyConflictError, type IdempotencyKey, type LogEntry, type RunHeader, type RunIntake, positionOf } from '@weft/run-store';
import type { Event, FakeRunStoreData } from './fake-run-data.js';
import { keep, keepOnce } from './kept.js';

export class FakeRunIntake implements RunIntake {
  constructor(private readonly data: FakeRunStoreData) {}

  async create(header: RunHeader, accepted: Event, idempotency?: IdempotencyKey): Promise<{ runId: string; existing: boolean }> {
    const key = idempotency === undefined ? undefined : this.checked(header.projectId, idempotency);
    const runId = (key !== undefined && this.data.idempotency.get(key)) || header.runId;
    if (this.data.runs.has(runId) || (runId !== header.runId && (await this.data.isArchived(runId)))) return { runId, existing: true };
    if (key !== undefined) this.data.idempotency.set(key, runId);
    if (key !== undefined && typeof idempotency === 'object') this.data.fingerprints.set(key, idempotency.fingerprint);
    const first: LogEntry = { sequence: 1, atMs: this.data.nowMs(), event: keep(accepted) };
    positionOf(header);
    this.data.runs.set(runId, {
      header: keep(header),
      objects: accepted['inputs'] === undefined ? {} : { inputs: writeJson(accepted['inputs']) },
      log: [first],
      sealed: false,
      idempotencyKey: key,
      taskLog: [],
      gone: { lines: 0, bytes: 0 },
      kept: [],
    });
    this.data.nudge(runId, 1);
    return { runId, existing: false };
  }

  async find(projectId: string, idempotency: IdempotencyKey): Promise<string | undefined> {
    const runId = this.data.idempotency.get(this.checked(projectId, idempotency));
    return runId !== undefined && (this.data.runs.has(runId) || (await this.data.isArchived(runId))) ? runId : undefined;
  }

  private checked(projectId: string, idempotency: IdempotencyKey): string {
    const { key: name, fingerprint } = typeof idempotency === 'string' ? { key: idempotency } : idempotency;
    const key = canonicalJson([projectId, name]);
    const [runId, known] = [this.data.idempotency.get(key), this.data.fingerprints.get(key)];
    if (runId !== undefined && fingerprint !== undefined && known !== undefined && known !== fingerprint)
      throw new IdempotencyConflictError(name, runId);
    return key;
  }

  async request(runId: string, event: Event): Promise<boolean> {
    const run = this.data.runs.get(runId);
    if (!run || run.sealed) return run !== undefined;
    run.log.push({ sequence: run.log.length + 1, atMs: this.data.nowMs(), event: keep(event) });
    this.data.nudge(runId, run.log.length);
    return true;
  }

  async reopen(header: RunHeader, event: Event): Promise<'reopened' | 'active' | 'gone'> {
    const run = this.data.runs.get(header.runId);
    if (!run) return 'gone';
    if (!run.sealed) return 'active';
    run.sealed = false;
    run.header = keep(header);
    delete run.objects.outputs;
    run.log.push({ sequence: run.log.length + 1, atMs: this.data.nowMs(), event: keep(event) });
    this.data.nudge(header.runId, run.log.length);
    return 'reopened';
  }

  async secretsKey(): Promise<Buffer> {
    return Buffer.alloc(32, 7);
  }

  async activeRuns(projectId?: string): Promise<number> {
    const active = [...this.data.runs.values()].filter(({ sealed }) => !sealed);
    return active.filter(({ header }) => projectId === undefined || header.projectId === projectId).length;
  }

  async putPlan(hash: string, plan: Plan): Promise<void> {
    if (!this.data.plans.has(hash)) this.data.plans.set(hash, keepOnce(plan));
  }
}
