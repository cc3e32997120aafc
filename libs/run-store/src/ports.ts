/**
 * Where runs live: an event log per run, headers and indexes to find them, plans by hash, leases over partitions, task logs.
 *
 * Invariants:
 *  1. Sequence numbers of a run's log are 1, 2, 3, … without gaps; an append names the sequence it expects to follow.
 *  2. What an append acknowledged is durable (as durable as Redis' AOF is configured) and never changes.
 *  3. An append by an owner carries its lease; a lease that was taken over cannot append (fencing).
 *  4. Every key of a run carries its partition's hash tag; no operation touches two partitions.
 *  5. What may be long (input and output object) is not in the header: it lies beside it, and is read by who asks for it alone, in pieces.
 */
import type { CwlObject, Plan } from '@weft/plan';

export const PARTITIONS = 64;

/** The run's facts as the log holds them; the engine's own event types, opaque here. */
export interface LogEntry {
  sequence: number;
  /** Milliseconds since the epoch, by the writer's clock. */
  atMs: number;
  event: { type: string } & Record<string, unknown>;
}

export interface Lease {
  partition: number;
  owner: string;
  /** Grows with every take-over. */
  token: number;
}

export type RunState = 'pending' | 'running' | 'cancelling' | 'succeeded' | 'failed' | 'cancelled';

export interface RunFailure {
  code: string;
  message: string;
  step?: string;
  /** Scatter indexes of the task, as in its record. */
  index?: string;
  taskId?: string;
  exitCode?: number;
  stderrTail?: string[];
}

export interface TaskTally {
  queued: number;
  running: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  skipped: number;
  known: number;
}

/** A run without its tasks and objects: what lists show. Times in milliseconds since the epoch. */
export interface RunHeader {
  runId: string;
  state: RunState;
  name: string;
  projectId: string;
  planHash: string;
  pool: string;
  labels: Record<string, string>;
  submittedAtMs: number;
  startedAtMs?: number;
  /** When it was last retried: what is told of it before is history. */
  retriedAtMs?: number;
  finishedAtMs?: number;
  failure?: RunFailure;
  tasks: TaskTally;
  currentSteps: string[];
}

/** What lies beside a run's header. */
export type RunObject = 'inputs' | 'outputs';

/** JSON text in UTF-8. */
export interface StoredObject {
  bytes: number;
  /** Throws where the object is replaced or removed while it is read. */
  pieces: AsyncIterable<Uint8Array>;
}

export interface RunQuery {
  projectId?: string;
  states?: RunState[];
  labels?: Record<string, string>;
  /** 1..1000; a page ends before that where its headers have LIST_BYTES. */
  limit: number;
  pageToken?: string;
}

/** `atMs` is the time all entries of the append carry; a caller that applies them itself uses it, so that a replay sees the same. */
export type AppendResult =
  | { ok: true; sequence: number; atMs: number }
  | { ok: false; reason: 'conflict'; sequence: number }
  /** The log does not hold what this writer has read of it (the store lost its newest writes): the writer has to begin again from the log. */
  | { ok: false; reason: 'diverged' }
  | { ok: false; reason: 'fenced' }
  | { ok: false; reason: 'gone' };

/**
 * What a client calls a submission by, per project: one that is repeated leads to the same run. With a fingerprint of what is submitted, the same
 * key for something else is refused; without, the key alone counts.
 */
export type IdempotencyKey = string | { key: string; fingerprint: string };

/** For whoever takes submissions (any replica). */
export interface RunIntake {
  /** Stores header, inputs (those of the event) and first event atomically and tells the partition's owner. A known idempotency key returns the run that has it, or throws IdempotencyConflictError. */
  create(
    header: RunHeader,
    accepted: LogEntry['event'],
    idempotency?: IdempotencyKey,
    /** Text that the inputs were read from, unchanged: it is not made again, and who asks here for what was just written is given what was handed over. */
    inputsJson?: string,
  ): Promise<{ runId: string; existing: boolean }>;
  /** The run that the key has led to before; undefined: none. Throws IdempotencyConflictError as create does. */
  find(projectId: string, idempotency: IdempotencyKey): Promise<string | undefined>;
  /** Appends a request from outside (cancel) without owning the run, and tells the owner. False: no such run. A sealed run takes nothing more: true. */
  request(runId: string, event: LogEntry['event']): Promise<boolean>;
  /**
   * In one step: takes a sealed run back into the active set with this header and event, without outputs, and tells the owner. 'active': it is not sealed
   * (any more), and nothing was done.
   */
  reopen(header: RunHeader, event: LogEntry['event']): Promise<'reopened' | 'active' | 'gone'>;
  /** Runs that have not ended: of a project, or all. */
  activeRuns(projectId?: string): Promise<number>;
  /** @param json its text, where the caller has it */
  putPlan(hash: string, plan: Plan, json?: string): Promise<void>;
  /** 32 bytes with which secrets of runs are sealed: made once, and the same for all who share the store. */
  secretsKey(): Promise<Buffer>;
}

/**
 * The entry that an append expects to follow: its sequence; and its time, where the writer holds a state made of the log: a log that was cut back
 * and went on otherwise has another entry in that place.
 */
export type LogPosition = number | { sequence: number; atMs: number };

/** For the owner of a partition. */
export interface RunLog {
  append(lease: Lease, runId: string, after: LogPosition, events: LogEntry['event'][]): Promise<AppendResult>;
  read(runId: string, afterSequence: number): Promise<LogEntry[]>;
  /** Replaces the mutable part of the header (state, times, tally, current steps). */
  updateHeader(lease: Lease, header: RunHeader): Promise<boolean>;
  /** In one step: appends the last event of the log, writes the final header and the outputs, and takes the run out of the active set. */
  seal(lease: Lease, header: RunHeader, after: LogPosition, ended: LogEntry['event'], outputs?: CwlObject): Promise<AppendResult>;
  /** Ids of runs of the partition that have not ended. */
  active(partition: number): Promise<string[]>;
  getPlan(hash: string): Promise<Plan | undefined>;
}

export interface Leases {
  /** This replica lives for another `ttlMs`. Gives the names of all that do, sorted; who has just come or gone is told to all that watch. */
  announce(owner: string, ttlMs: number): Promise<string[]>;
  /** This replica goes: its name is taken off at once, and those that watch are told. Its leases are not given back by this. */
  withdraw(owner: string): Promise<void>;
  /** `onChange()` when replicas came or went, when a lease was given back, and where such news may have been missed. Returns how to stop. */
  watch(onChange: () => void): Promise<() => Promise<void>>;
  /**
   * The partitions that this owner now holds (at most `want`, unless it held more) after trying to take free or lapsed ones; all of them are
   * renewed to `ttlMs` from now. `owner` must be unique to this process, not to this host: a restarted replica is another owner.
   */
  acquire(owner: string, ttlMs: number, want?: number): Promise<Lease[]>;
  /** False: lost. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  release(lease: Lease): Promise<void>;
}

/** Told when something was appended or created; no payload is lost if a nudge is: the log is read again on reconnect. */
export interface Nudges {
  /** `onNudge(runId, last sequence of its log)` for the partition; `onReset()` where nudges may have been missed. Returns how to stop. */
  subscribe(partition: number, onNudge: (runId: string, sequence: number) => void, onReset: () => void): Promise<() => Promise<void>>;
}

/** Between the scheduler's replicas: an attempt is to be stopped by whoever follows it. May be lost; whoever asks repeats it. */
export interface TaskCancels {
  send(attempts: AttemptRef[]): Promise<void>;
  /** Returns how to stop. */
  subscribe(onCancel: (attempts: AttemptRef[]) => void): Promise<() => Promise<void>>;
}

export interface AttemptRef {
  taskId: string;
  attempt: number;
}

/** For readers: lists, watchers. */
export interface RunReader {
  /** @throws UnreadableRunError */
  get(runId: string): Promise<RunHeader | undefined>;
  /** Undefined: there is no such run, or it has none. */
  object(runId: string, which: RunObject): Promise<StoredObject | undefined>;
  /** One that cannot be read is listed as such (UNREADABLE) by what is known of it, and keeps no other from being listed. */
  list(query: RunQuery): Promise<{ runs: RunHeader[]; nextPageToken?: string }>;
  read(runId: string, afterSequence: number): Promise<LogEntry[]>;
  /**
   * Entries after a sequence, then new ones as they are appended, until `signal` aborts (it then just ends), the run's log was read up to the
   * event that seals it (and nothing follows that: a run that was reopened goes on), or there is no such run (any more).
   */
  follow(runId: string, afterSequence: number, signal: AbortSignal): AsyncIterable<LogEntry>;
  /** Removes a sealed run with its log and task logs. False: no such run, or it has not ended. */
  remove(runId: string): Promise<boolean>;
}

export interface TaskLogChunk {
  taskId: string;
  step: string;
  stream: 'stdout' | 'stderr' | 'system';
  text: string;
  atMs: number;
  attempt?: number;
  /** Scatter indexes of the task, as in its record. */
  index?: string;
  /**
   * Where it lies in what the attempt has written to the stream: bytes before it, bytes up to its end, and ends of lines before it. An attempt
   * that was begun again writes from the start, in another `life`; absent: it has one.
   */
  place?: { from: number; to: number; line: number; life?: string };
  /** Stands for what is not here any more, or never was. */
  omitted?: { lines: number; bytes: number };
}

export interface AlsoInLog {
  /** Cursors of chunks that go: what came after them of the same attempt has taken their room. */
  drop?: string[];
  /** Attempts whose chunks are the last to go where the run has too many: they have failed, in this order. */
  keep?: { taskId: string; attempt: number }[];
}

/**
 * What tasks wrote to stdout and stderr where it did not go to a file. Bounded per run: the oldest chunks go first, those of the attempts that
 * failed last (the newest KEPT_ATTEMPTS of them) excepted; a chunk with `omitted` at the very beginning says how much went that way.
 */
export interface TaskLogs {
  /** Answers with the cursors of each chunk (one that is long becomes several); none where the run does not exist. */
  append(runId: string, chunks: TaskLogChunk[], also?: AlsoInLog): Promise<string[][]>;
  /** Chunks after a cursor ("" = from the start), then, when following, live ones until `signal` aborts. */
  stream(runId: string, afterCursor: string, follow: boolean, signal: AbortSignal): AsyncIterable<TaskLogChunk & { cursor: string }>;
}

/** FNV-1a of the run id modulo PARTITIONS. */
export function partitionOf(runId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < runId.length; i++) {
    hash ^= runId.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash % PARTITIONS;
}
