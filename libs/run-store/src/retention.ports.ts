/**
 * Finished runs on their way out of the live store, and the archive where they rest.
 *
 * Invariants:
 *  1. A run leaves the live store only after all of it lies in the archive. In between it is in both; the live one counts.
 *  2. What leaves is what was archived: a run that got another entry or log chunk meanwhile stays.
 *  3. All of this may be repeated after a crash at any point.
 */
import type { Readable } from 'node:stream';
import type { Plan } from '@weft/plan';
import type { Lease, LogEntry, RunHeader, RunObject, RunState, StoredObject, TaskLogChunk } from './ports.js';

export type StoredChunk = TaskLogChunk & { cursor: string };

/** What is said of a finished run beside its log. */
export interface RestingRun {
  header: RunHeader;
  /** Sequence of the entry that ended it. */
  sequence: number;
  /** Names the idempotency key that leads to the run; opaque, '' where there is none. */
  idempotency: string;
}

/** Texts (JSON); undefined: it has none. */
export interface RunTexts {
  inputs?: string;
  outputs?: string;
}

/** A finished run, read in pages. */
export interface RestingRunPages extends RestingRun {
  /** What lies beside its header. */
  objects(): Promise<RunTexts>;
  entries: AsyncIterable<LogEntry[]>;
  chunks: AsyncIterable<StoredChunk[]>;
}

export interface RunCounts {
  /** In the live store: not ended, and ended. */
  active: number;
  ended: number;
  archived: number;
  /** Of the archived runs, as they lie in storage. */
  archivedBytes: number;
}

export type Eviction = 'evicted' | 'changed' | 'gone' | 'fenced';

/** The live store's side. */
export interface RunRetention {
  /** Runs of a partition that have ended, the first to end first. */
  ended(partition: number, limit: number): Promise<{ runId: string; endedAtMs: number }[]>;
  /** A finished run as it is now; undefined: no such run, or it goes on. */
  read(runId: string): Promise<RestingRunPages | undefined>;
  /**
   * Takes out what was archived: log up to `sequence`, chunks up to `cursor` ('' = none). 'changed': it has got more, or goes on. 'gone': somebody has
   * removed it. 'evicted' also where it was taken out before: the call may be made again because its answer was lost.
   */
  evict(lease: Lease, run: RestingRun, archived: { cursor: string; bytes: number }): Promise<Eviction>;
  /** Puts a run back, as if it had ended now; `bytes` are those it has in the archive. False: it is there. */
  restore(run: RestingRunPages, bytes: number): Promise<boolean>;
  /** An archived run was deleted: its idempotency key leads nowhere any more. */
  forget(run: RestingRun, bytes: number): Promise<void>;
  /** Position (page-token.ts) behind which every archived run lies; undefined: none was ever archived. */
  newestArchived(): Promise<string | undefined>;
  noteArchived(position: string): Promise<void>;
  /** The archive has the plan: it goes from the live store some time after the last run that was submitted with it. */
  releasePlan(hash: string): Promise<void>;
  counts(): Promise<RunCounts>;
}

/** A place for objects by name; names are '/'-separated and plain ([A-Za-z0-9._-]). */
export interface ArchiveFiles {
  /** Whole or not at all; lasting when it resolves. Replaces. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Undefined: not there. */
  open(name: string): Promise<Readable | undefined>;
  /** Names in a folder (ends in '/'), sorted by code units; a folder that is not there is empty. */
  list(folder: string): Promise<string[]>;
  /** What is not there is not an error. */
  remove(name: string): Promise<void>;
}

/** Position and final state of an archived run, as its name in the index says. */
export interface IndexedRun {
  position: string;
  runId: string;
  state: RunState;
}

export interface RunArchive {
  /** Stores all of a run and finds it again; answers how much there is of it. Repeating replaces. Writes when all was read, chunks last. */
  put(run: RestingRunPages): Promise<{ cursor: string; bytes: number }>;
  find(runId: string): Promise<RestingRun | undefined>;
  object(runId: string, which: RunObject): Promise<StoredObject | undefined>;
  /** The whole of it, with the size it has; undefined: not there. */
  read(runId: string): Promise<{ run: RestingRunPages; bytes: number } | undefined>;
  /** Newest first, those after a position only. An entry may name a run that is not there, or another state than it has: such ones do not count. */
  newestFirst(projectId: string | undefined, after: string | undefined): AsyncIterable<IndexedRun[]>;
  remove(run: RestingRun): Promise<void>;
  putPlan(hash: string, plan: Plan): Promise<void>;
  getPlan(hash: string): Promise<Plan | undefined>;
}
