/**
 * A run store whose finished runs may have gone to the archive: whoever reads, lists, follows or deletes a run does not notice.
 *
 * Invariant: the live store is asked first, and again after the archive was: a run that moves in between is found in one of them.
 */
import { UnreadableRunError } from '../errors.js';
import type { LogEntry, RunLog, RunReader, TaskLogs } from '../ports.js';
import type { RunStore } from '../run-store.port.js';
import type { RunArchive, StoredChunk } from '../retention.ports.js';
import { ArchivedRuns } from './archived-runs.js';
import { releasePlan } from './archive-run.js';

export type ArchivingRunStore = RunStore & {
  /** Brings an archived run back, finished, so that it can go on. False: there is no such run, live or archived. */
  restore(runId: string): Promise<boolean>;
};

export function withArchive(store: RunStore, archive: RunArchive): ArchivingRunStore {
  const { reader, log, retention, taskLogs } = store;
  const runs = new ArchivedRuns(reader, retention, archive);
  const archived: RunReader = {
    get: async (runId) => (await reader.get(runId)) ?? (await archive.find(runId))?.header ?? (await reader.get(runId)),
    object: async (runId, which) => {
      const live = await reader.object(runId, which);
      // A run that is here, and has none (it failed), has none in the archive either.
      if (live !== undefined || (await reader.get(runId).catch(whetherReadable))) return live;
      return (await archive.object(runId, which)) ?? reader.object(runId, which);
    },
    list: (query) => runs.list(query),
    read: async (runId, after) => {
      const live = await reader.read(runId, after);
      if (live.length > 0 || (await reader.get(runId))) return live;
      return collect(archivedEntries(archive, runId, after));
    },
    follow: (runId, after, signal) => follow(store, archive, runId, after, signal),
    remove: (runId) => remove(store, archive, runId),
  };
  const planned: RunLog = Object.assign(Object.create(log) as RunLog, {
    getPlan: async (hash: string) => (await log.getPlan(hash)) ?? archive.getPlan(hash),
  });
  const logs: TaskLogs = {
    append: (runId, chunks) => taskLogs.append(runId, chunks),
    stream: (runId, cursor, wait, signal) => streamLogs(store, archive, { runId, cursor, wait, signal }),
  };
  return { ...store, reader: archived, log: planned, taskLogs: logs, restore: (runId) => restore(store, archive, runId) };
}

async function* follow(
  store: RunStore,
  archive: RunArchive,
  runId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<LogEntry, void, undefined> {
  let last = after;
  for await (const entry of store.reader.follow(runId, after, signal)) {
    last = entry.sequence;
    yield entry;
  }
  // The run is not in the live store, or left it while it was read: the rest, if any, is in the archive.
  if (signal.aborted || (await store.reader.get(runId))) return;
  for await (const page of archivedEntries(archive, runId, last)) {
    for (const entry of page) {
      if (signal.aborted) return;
      yield entry;
    }
  }
}

async function* archivedEntries(archive: RunArchive, runId: string, after: number): AsyncGenerator<LogEntry[], void, undefined> {
  const found = await archive.read(runId);
  if (!found) return;
  for await (const page of found.run.entries) yield page.filter((entry) => entry.sequence > after);
}

async function collect<T>(pages: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) for (const item of page) all.push(item);
  return all;
}

async function remove(store: RunStore, archive: RunArchive, runId: string): Promise<boolean> {
  const live = await store.reader.get(runId).catch(whetherReadable);
  const removed = live !== undefined && (await store.reader.remove(runId));
  // A run that goes on keeps what the archive may have of it from before; it is not what counts.
  if (live !== undefined && !removed && (await store.reader.get(runId))) return false;
  const found = await archive.read(runId);
  if (found) {
    await archive.remove(found.run);
    if (!removed) await store.retention.forget(found.run, found.bytes);
  }
  const gone = live === 'unreadable' ? undefined : (live ?? found?.run.header);
  if (gone) await releasePlan(store, archive, gone);
  return removed || found !== undefined;
}

function whetherReadable(error: unknown): 'unreadable' {
  if (error instanceof UnreadableRunError) return 'unreadable';
  throw error;
}

async function restore(store: RunStore, archive: RunArchive, runId: string): Promise<boolean> {
  if (await store.reader.get(runId)) return true;
  const found = await archive.read(runId);
  // Somebody else may have brought it back, or it was never archived.
  if (!found) return (await store.reader.get(runId)) !== undefined;
  const plan = await archive.getPlan(found.run.header.planHash);
  if (plan) await store.intake.putPlan(found.run.header.planHash, plan);
  // What the archive has of it stays: the live run is the one that counts, and the next time it is archived replaces it.
  await store.retention.restore(found.run, found.bytes);
  return true;
}

interface LogRequest {
  runId: string;
  cursor: string;
  wait: boolean;
  signal: AbortSignal;
}

async function* streamLogs(store: RunStore, archive: RunArchive, request: LogRequest): AsyncGenerator<StoredChunk, void, undefined> {
  const { runId, signal } = request;
  let { cursor } = request;
  // A run that is live may be followed; one that rests has all it will ever have.
  const wait = request.wait && (await store.reader.get(runId)) !== undefined;
  for await (const chunk of store.taskLogs.stream(runId, cursor, wait, signal)) {
    cursor = chunk.cursor;
    yield chunk;
  }
  if (signal.aborted || (await store.reader.get(runId))) return;
  const found = await archive.read(runId);
  if (!found) return;
  for await (const page of found.run.chunks) {
    for (const chunk of page) {
      if (signal.aborted) return;
      if (isAfter(chunk.cursor, cursor)) yield chunk;
    }
  }
}

/** Cursors are `<ms>-<n>`; '' comes before all. */
function isAfter(cursor: string, other: string): boolean {
  const [ms = 0, n = 0] = cursor.split('-').map(Number);
  const [otherMs = -1, otherN = -1] = other === '' ? [] : other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && n > otherN);
}
