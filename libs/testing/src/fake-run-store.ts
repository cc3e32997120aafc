/**
 * The run store in memory: same contract as the Redis adapter. Several stores over one FakeRunStoreData are several processes over one Redis.
 */
import { canonicalJson, type CwlObject, type Plan, readJson, writeJson } from '@weft/plan';
import {
  type AppendResult,
  type AttemptRef,
  IdempotencyConflictError,
  type IdempotencyKey,
  InvalidRequestError,
  type Lease,
  type LogEntry,
  type LogPosition,
  PARTITIONS,
  type RunHeader,
  type RunObject,
  type RunQuery,
  type RunStore,
  type StoredObject,
  TASK_LOG_ENTRY_OVERHEAD,
  TASK_LOG_LIMIT_BYTES,
  type AlsoInLog,
  KEPT_ATTEMPTS,
  LIST_BYTES,
  type TaskLogChunk,
  SEALING_EVENT,
  Wake,
  checkLimit,
  decodePageToken,
  encodePageToken,
  matches,
  partitionOf,
  positionOf,
  splitText,
  storedText,
} from '@weft/run-store';

import { FakeRunRetention } from './fake-run-retention.js';
import { FakeLeases, fakeTaskCancels, type HeldLease } from './fake-leases.js';
import { keep, keepOnce } from './kept.js';

type Event = LogEntry['event'];
type Listener = (runId: string, sequence: number) => void;

interface FakeRun {
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

type Kept = TaskLogChunk & { cursor: string };

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

export function createFakeRunStore(data = new FakeRunStoreData()): RunStore {
  const closing = new AbortController();
  return {
    intake: new FakeIntake(data),
    log: new FakeLog(data),
    leases: new FakeLeases(data),
    cancels: fakeTaskCancels(data),
    nudges: {
      subscribe: async (partition, onNudge, onReset) => {
        const stopListening = data.listen(partition, (runId, sequence) => sequence > 0 && onNudge(runId, sequence));
        const reset = (): void => onReset();
        data.resets.add(reset);
        const stop = (): void => {
          stopListening();
          data.resets.delete(reset);
        };
        closing.signal.addEventListener('abort', stop);
        return async () => stop();
      },
    },
    reader: new FakeReader(data, closing.signal),
    retention: new FakeRunRetention(data),
    taskLogs: new FakeTaskLogs(data, closing.signal),
    open: () => Promise.resolve(),
    ping: () => Promise.resolve(),
    close: async () => closing.abort(),
  };
}

function refill<K, V>(map: Map<K, V>, entries: [K, V][]): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

/** What went through JSON: nobody shares objects with the store. */
const copy = <T>(value: T): T => readJson(writeJson(value)) as T;

class FakeIntake {
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

class FakeLog {
  constructor(private readonly data: FakeRunStoreData) {}

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

  async read(runId: string, afterSequence: number): Promise<LogEntry[]> {
    return (this.data.runs.get(runId)?.log.slice(afterSequence) ?? []).map((entry) => ({ ...entry }));
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

class FakeReader {
  constructor(
    private readonly data: FakeRunStoreData,
    private readonly closed: AbortSignal,
  ) {}

  async get(runId: string): Promise<RunHeader | undefined> {
    return this.data.runs.get(runId)?.header;
  }

  async object(runId: string, which: RunObject): Promise<StoredObject | undefined> {
    const text = this.data.runs.get(runId)?.objects[which];
    return text === undefined ? undefined : storedText(text);
  }

  async list(query: RunQuery): Promise<{ runs: RunHeader[]; nextPageToken?: string }> {
    checkLimit(query.limit);
    const after = query.pageToken ? decodePageToken(query.pageToken) : undefined;
    const found = [...this.data.runs.values()]
      .filter(({ header }) => matches(header, query) && (after === undefined || positionOf(header) < after))
      .map(({ header }) => header)
      .sort((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1));
    let bytes = 0;
    const fits = found.findIndex((header, at) => (bytes += JSON.stringify(header).length) > LIST_BYTES && at > 0);
    const runs = found.slice(0, fits < 0 ? query.limit : Math.min(fits, query.limit));
    const last = runs.at(-1);
    return found.length > runs.length && last ? { runs, nextPageToken: encodePageToken(positionOf(last)) } : { runs };
  }

  async read(runId: string, afterSequence: number): Promise<LogEntry[]> {
    return (this.data.runs.get(runId)?.log.slice(afterSequence) ?? []).map((entry) => ({ ...entry }));
  }

  async *follow(runId: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<LogEntry, void, undefined> {
    const wake = new Wake();
    const stop = this.data.listen(partitionOf(runId), (id) => id === runId && wake.signal());
    const done = AbortSignal.any([signal, this.closed]);
    done.addEventListener('abort', () => wake.signal());
    wake.signal();
    try {
      for (let last = afterSequence; ;) {
        await wake.next();
        for (const entry of await this.read(runId, last)) {
          if (done.aborted) return;
          last = entry.sequence;
          yield entry;
        }
        if (this.data.runs.get(runId)?.log[last - 1]?.event.type === SEALING_EVENT) return;
        const run = this.data.runs.get(runId);
        if (done.aborted || !run || (run.sealed && last >= run.log.length)) return;
      }
    } finally {
      stop();
    }
  }

  async remove(runId: string): Promise<boolean> {
    const run = this.data.runs.get(runId);
    if (!run?.sealed) return false;
    this.data.runs.delete(runId);
    this.data.removed.add(runId);
    if (run.idempotencyKey !== undefined) this.data.idempotency.delete(run.idempotencyKey);
    this.data.nudge(runId, 0);
    return true;
  }
}

/** What went from a run's log, as a chunk before all others. */
export function goneOf({ gone }: Pick<FakeRun, 'gone'>): Kept[] {
  if (gone.bytes === 0) return [];
  return [{ taskId: '', step: '', stream: 'system', text: '', atMs: 0, omitted: gone, cursor: '0-1' }];
}

class FakeTaskLogs {
  constructor(
    private readonly data: FakeRunStoreData,
    private readonly closed: AbortSignal,
  ) {}

  async append(runId: string, chunks: TaskLogChunk[], { drop = [], keep = [] }: AlsoInLog = {}): Promise<string[][]> {
    const run = this.data.runs.get(runId);
    if (!run) return chunks.map(() => []);
    run.taskLog = run.taskLog.filter(({ cursor }) => !drop.includes(cursor));
    const cursors = chunks.map((chunk) =>
      splitText(chunk.text).map((text) => {
        const cursor = `${++this.data.chunks}-0`;
        run.taskLog.push({ ...copy(chunk), text, cursor });
        return cursor;
      }),
    );
    for (const key of keep.map(({ taskId, attempt }) => `${taskId}.${attempt}`))
      run.kept = [key, ...run.kept.filter((other) => other !== key)].slice(0, KEPT_ATTEMPTS);
    this.bound(run);
    for (const tell of [...this.data.logged]) tell(runId);
    return cursors;
  }

  private bound(run: FakeRun): void {
    const size = ({ cursor: _cursor, ...chunk }: Kept): number => Buffer.byteLength(JSON.stringify(chunk)) + TASK_LOG_ENTRY_OVERHEAD;
    let bytes = run.taskLog.reduce((sum, chunk) => sum + size(chunk), 0);
    while (bytes > TASK_LOG_LIMIT_BYTES) {
      const at = run.taskLog.findIndex(({ taskId, attempt }) => !run.kept.includes(`${taskId}.${attempt}`));
      if (at < 0) run.kept.pop();
      for (const chunk of at < 0 ? [] : run.taskLog.splice(at, 1)) {
        const { omitted, place, text } = chunk;
        bytes -= size(chunk);
        run.gone.bytes += omitted?.bytes ?? (place ? place.to - place.from : Buffer.byteLength(text));
        run.gone.lines += omitted?.lines ?? text.split('\n').length - 1;
      }
    }
  }

  async *stream(
    runId: string,
    afterCursor: string,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<TaskLogChunk & { cursor: string }, void, undefined> {
    if (!/^(\d+-\d+)?$/.test(afterCursor)) throw new InvalidRequestError('this log cursor is not one of ours');
    const wake = new Wake();
    const onLogged = (id: string): void => void (id === runId && wake.signal());
    this.data.logged.add(onLogged);
    const done = AbortSignal.any([signal, this.closed]);
    done.addEventListener('abort', () => wake.signal());
    wake.signal();
    try {
      let last = Number.parseInt(afterCursor || '-1', 10);
      do {
        await wake.next();
        const run = this.data.runs.get(runId);
        if (run && last === -1) yield* copy(goneOf(run));
        for (const chunk of copy(run?.taskLog ?? [])) {
          if (done.aborted) return;
          if (Number.parseInt(chunk.cursor, 10) <= last) continue;
          last = Number.parseInt(chunk.cursor, 10);
          yield chunk;
        }
      } while (follow && !done.aborted);
    } finally {
      this.data.logged.delete(onLogged);
    }
  }
}
