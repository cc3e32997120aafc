/** Reading runs: lists, tasks, watching, logs; and two requests that only concern stored runs, cancel and retry. */
import { run as pb, type scheduler } from '@weft/contracts';
import type { RunState, TaskRecord } from '@weft/engine';
import { ServiceError } from '@weft/platform';
import type { CwlObject } from '@weft/plan';
import { isFinal, type RunHeader, type RunObject, type RunStore, type StoredChunk, textOf } from '@weft/run-store';
import type { StorageReader } from '@weft/storage';
import pLimit from 'p-limit';
import { runObject, runState, toLogChunk, toolStream, toRun, toTask } from './mapping.js';
import { type Clock, systemClock } from '../kernel/clock.js';
import { EndedTasks } from './ended-tasks.js';
import { withMarks } from './log-marks.js';
import { mergeUntilMainEnds } from './merge.js';
import { jsonPieces, NO_OBJECT, OMITTED, RUN_OBJECT_BYTES, shownObject, type ShownObject } from './object-texts.js';
import type { PlanCache } from '../plans/plan-cache.js';
import type { PartitionOwner } from '../runs/partition-owner.js';
import { toLogEvent } from '../runs/log-events.js';
import type { Batch } from './feeds/run-feed.js';
import { RunFeeds } from './feeds/run-feeds.js';
import { NO_ROOM_MS, type RunMemory } from '../runs/memory/run-memory.js';
import { RunProjection } from './feeds/run-projection.js';
import { openWholeLog } from './whole-logs.js';

export interface RunQueriesDeps {
  store: RunStore;
  plans: PlanCache;
  owner: PartitionOwner;
  storage: Pick<StorageReader, 'open'>;
  dataUri: string;
  clock?: Pick<Clock, 'after' | 'now'>;
  /** What active runs hold, and what those do that are only read. */
  memory: Pick<RunMemory, 'mayReturn'>;
  readers: Pick<RunMemory, 'begin'>;
  /** Sees to it that a finished run can go on. */
  beforeRetry(header: RunHeader): Promise<void>;
}

const DEFAULT_PAGE = 50;
const MAX_PAGE = 1000;
/** How often a retry brings a run back that goes to the archive again at once, as with a retention of nothing. */
const BRINGING_BACK = 20;
/** Characters. */
const MAX_REASON = 1000;
/** Bytes of a page of tasks: with what is around them, below the 4 MiB that a client of gRPC takes unless told otherwise. */
const PAGE_BYTES = 3 * 1024 * 1024;

export class RunQueries {
  private readonly feeds: RunFeeds;
  private readonly ended: EndedTasks;
  /** Whole logs in memory at the same time. */
  private readonly replays = pLimit(2);

  constructor(private readonly deps: RunQueriesDeps) {
    const { store, plans, owner, readers: memory } = deps;
    this.ended = new EndedTasks((header) => this.replayedTasks(header), deps.clock ?? systemClock);
    this.feeds = new RunFeeds({ reader: store.reader, plans, memory, actorOf: (runId) => owner.actorOf(runId) });
  }

  async get(runId: string): Promise<RunHeader> {
    const stored = await this.deps.store.reader.get(runId);
    if (!stored) throw new ServiceError('NOT_FOUND', `no run ${runId}`);
    // A replica that stood still may not have noticed yet that another has brought the run to its end.
    if (isFinal(stored.state)) return stored;
    // The owner's memory is ahead of the stored header.
    const header = this.deps.owner.actorOf(runId)?.header();
    return header && !isFinal(header.state) ? header : stored;
  }

  async list(request: scheduler.ListRunsRequest): Promise<scheduler.ListRunsResponse> {
    if (request.withoutProject && request.projectId !== '')
      throw new ServiceError('INVALID_ARGUMENT', 'without_project and project_id exclude each other');
    const states = request.statuses.map(runState).filter((state) => state !== undefined);
    const { runs, nextPageToken } = await this.deps.store.reader.list({
      projectId: request.withoutProject ? '' : request.projectId || undefined,
      states: states.length > 0 ? states : undefined,
      labels: Object.keys(request.labels).length > 0 ? request.labels : undefined,
      limit: pageSize(request.pageSize),
      pageToken: request.pageToken || undefined,
    });
    return { runs: runs.map((header) => toRun(header)), nextPageToken: nextPageToken ?? '' };
  }

  async tasks(request: scheduler.ListTasksRequest): Promise<scheduler.ListTasksResponse> {
    const tasks = await this.allTasks(await this.get(request.runId));
    const first = offsetOf(request.pageToken);
    const found = pageOf(tasks.values(), first, first + pageSize(request.pageSize));
    const end = first + found.length;
    return { tasks: found, nextPageToken: end < tasks.size ? String(end) : '' };
  }

  /** A run as it is shown alone: with its objects, where they are short. `inputs`: where they are known. */
  async whole(header: RunHeader, inputs?: CwlObject): Promise<pb.Run> {
    const objects = await Promise.all([
      inputs === undefined ? this.shown(header.runId, 'inputs') : shownObject(inputs, RUN_OBJECT_BYTES),
      isFinal(header.state) ? this.shown(header.runId, 'outputs') : NO_OBJECT,
    ]);
    return toRun(header, { inputs: objects[0], outputs: objects[1] });
  }

  private async shown(runId: string, which: RunObject): Promise<ShownObject> {
    const found = await this.deps.store.reader.object(runId, which);
    if (found === undefined) return NO_OBJECT;
    return found.bytes > RUN_OBJECT_BYTES ? OMITTED : { json: await textOf(found), omitted: false };
  }

  /** An object of the run or of one of its tasks, in pieces. */
  async *object({ runId, kind, taskId }: scheduler.ReadObjectRequest): AsyncGenerator<pb.ObjectData, void, undefined> {
    const which = runObject(kind);
    if (which === undefined || (taskId !== '' && which !== 'outputs'))
      throw new ServiceError('INVALID_ARGUMENT', 'the kind must be inputs or outputs, and outputs for a task');
    const header = await this.get(runId);
    const task = taskId === '' ? undefined : (await this.allTasks(header)).get(taskId);
    if (taskId !== '' && !task) throw new ServiceError('NOT_FOUND', `run ${runId} has no task '${taskId}'`);
    const found = task ? task.outputs && jsonPieces(task.outputs) : (await this.deps.store.reader.object(runId, which))?.pieces;
    if (!found) throw new ServiceError('NOT_FOUND', `${task ? `task '${taskId}' of ` : ''}run ${runId} has no ${which} (yet)`);
    for await (const data of found) yield { data: data as Buffer };
  }

  private async allTasks(header: RunHeader): Promise<ReadonlyMap<string, TaskRecord>> {
    if (isFinal(header.state)) return this.ended.of(header);
    return this.deps.owner.actorOf(header.runId)?.state.tasks ?? this.replayedTasks(header);
  }

  private async replayedTasks(header: RunHeader): Promise<ReadonlyMap<string, TaskRecord>> {
    return (await this.replayed(header)).tasks;
  }

  private replayed(header: RunHeader): Promise<RunState> {
    return this.replays(async () => {
      const projection = new RunProjection(header, await this.deps.plans.get(header.planHash), this.deps.readers);
      try {
        for (const entry of await this.deps.store.reader.read(header.runId, 0)) projection.apply(entry);
        return projection.state;
      } finally {
        projection.close();
      }
    });
  }

  /** Events after a sequence until the run ends, with what runners say about tasks (pulls, limits) as notes in between. */
  async *watch(request: scheduler.WatchRunRequest, signal: AbortSignal): AsyncGenerator<pb.RunEvent, void, undefined> {
    const header = await this.get(request.runId);
    // The entry that was seen last may have more events than were seen.
    const first = request.afterSequence + (request.afterOrdinal === undefined ? 1 : 0);
    const batches = this.feeds.watch(header, Math.max(1, first), signal);
    const stop = new AbortController();
    const notes = this.notes(request.runId, AbortSignal.any([signal, stop.signal]));
    yield* mergeUntilMainEnds(told(batches, request), notes, () => stop.abort());
  }

  private async *notes(runId: string, signal: AbortSignal): AsyncGenerator<pb.RunEvent, void, undefined> {
    for await (const { stream, taskId, step, index = '', text, atMs } of this.deps.store.taskLogs.stream(runId, '', true, signal)) {
      if (stream === 'system')
        yield { runId, sequence: 0, ordinal: 0, at: new Date(atMs), event: { $case: 'note', value: { taskId, step, index, text } } };
    }
  }

  async *logs(request: scheduler.StreamLogsRequest, signal: AbortSignal): AsyncGenerator<pb.LogChunk, void, undefined> {
    const header = await this.get(request.runId);
    const stop = new AbortController();
    const follow = request.follow && !isFinal(header.state);
    if (follow) void this.whenSealed(request.runId, AbortSignal.any([signal, stop.signal])).then(() => stop.abort());
    try {
      const chunks = this.chunks(request, follow, signal, AbortSignal.any([signal, stop.signal]));
      const marked = withMarks(chunks, { taskId: request.taskId, fromStart: request.afterCursor === '' });
      for await (const chunk of marked) yield toLogChunk(chunk);
    } finally {
      stop.abort();
    }
  }

  private async *chunks(
    { runId, afterCursor }: scheduler.StreamLogsRequest,
    follow: boolean,
    signal: AbortSignal,
    untilEnd: AbortSignal,
  ): AsyncGenerator<StoredChunk, void, undefined> {
    let cursor = afterCursor;
    for await (const chunk of this.deps.store.taskLogs.stream(runId, cursor, follow, untilEnd)) {
      cursor = chunk.cursor;
      yield chunk;
    }
    if (!follow || signal.aborted) return;
    // What was written between the last chunk seen and the run's end.
    yield* this.deps.store.taskLogs.stream(runId, cursor, false, signal);
  }

  /** All that an attempt wrote to one stream. */
  async *taskLog(request: scheduler.ReadTaskLogRequest): AsyncGenerator<pb.LogData, void, undefined> {
    const { runId, taskId } = request;
    const stream = toolStream(request.stream);
    if (stream === undefined) throw new ServiceError('INVALID_ARGUMENT', 'the stream must be stdout or stderr');
    const header = await this.get(runId);
    const attempt = request.attempt || (await this.allTasks(header)).get(taskId)?.attempt;
    if (attempt === undefined) throw new ServiceError('NOT_FOUND', `run ${runId} has no task '${taskId}'`);
    const bytes = await openWholeLog(this.deps.storage, this.deps.dataUri, { runId, taskId, attempt, stream });
    for await (const data of bytes) yield { data: data as Buffer };
  }

  private async whenSealed(runId: string, signal: AbortSignal): Promise<void> {
    for await (const entry of this.deps.store.reader.follow(runId, 0, signal)) if (entry.event.type === 'RunEnded') return;
  }

  /** Goes on with a run that failed or was cancelled; one that goes on anyway is answered as it is, and one that is about to end refused. */
  async retry(runId: string): Promise<RunHeader> {
    let header = await this.get(runId);
    if (!isFinal(header.state)) {
      const state = await this.replayed(header);
      const notYet = whyNoRetryYet(state);
      if (notYet !== undefined) throw new ServiceError('FAILED_PRECONDITION', `run ${runId} ${notYet}: retry it when it has ended`);
      if (state.endedAtMs === undefined) return header;
      header = await this.get(runId);
    }
    if (header.state === 'succeeded') throw new ServiceError('FAILED_PRECONDITION', `run ${runId} succeeded: there is nothing to retry`);
    if (!this.deps.memory.mayReturn(header.projectId)) {
      const message = `there is no memory for run ${runId} to go on: those of project '${header.projectId}' that have not ended hold all that they may`;
      throw new ServiceError('RESOURCE_EXHAUSTED', `${message}; try again when some have ended`, undefined, { retryAfterMs: NO_ROOM_MS });
    }
    await this.reopened(header);
    return this.get(runId);
  }

  /** An ended run may go to the archive in any moment, also just after it was found here or brought back. */
  private async reopened(header: RunHeader): Promise<void> {
    const { finishedAtMs: _end, failure: _failure, ...again } = header;
    const event = toLogEvent({ type: 'RunRetried' });
    for (let times = 0; times < BRINGING_BACK; times += 1) {
      await this.replays(() => this.deps.beforeRetry(header));
      const retriedAtMs = (this.deps.clock ?? systemClock).now();
      if ((await this.deps.store.intake.reopen({ ...again, state: 'running', retriedAtMs }, event)) !== 'gone') return;
    }
    const why = `went to the archive ${BRINGING_BACK} times while it was brought back from there`;
    throw new ServiceError('UNAVAILABLE', `run ${header.runId} ${why}: ask again`);
  }

  async cancel(runId: string, reason: string): Promise<RunHeader> {
    if (reason.length > MAX_REASON)
      throw new ServiceError('INVALID_ARGUMENT', `the reason has ${reason.length} characters; ${MAX_REASON} are allowed`);
    const header = await this.get(runId);
    if (isFinal(header.state)) return header;
    const asked = { type: 'CancelAsked', reason: reason || 'cancelled by the user' };
    await this.deps.store.intake.request(runId, asked);
    return { ...(await this.get(runId)), state: 'cancelling' };
  }
}

/** Why a retry that is asked for now would be forgotten: what has failed or was stopped is taken up again from the end alone. */
function whyNoRetryYet({ phase, failure, endedAtMs }: RunState): string | undefined {
  if (phase === 'cancelling') return 'is being cancelled';
  if (phase === 'failing') return `has failed, and what is under way is being stopped`;
  if (phase === 'ended') return endedAtMs === undefined ? 'is about to end' : undefined;
  return failure === undefined ? undefined : 'has failed, and what does not need the failed step still goes on';
}

/** What a watcher has not seen. */
async function* told(
  batches: AsyncIterable<Batch>,
  { afterSequence, afterOrdinal }: Pick<scheduler.WatchRunRequest, 'afterSequence' | 'afterOrdinal'>,
): AsyncGenerator<pb.RunEvent, void, undefined> {
  let held: pb.RunEvent[] = [];
  for await (const batch of batches) {
    // An end that was followed by a retry was not the end: a watcher must not stop there.
    if (batch.type === 'RunRetried') held = [];
    yield* held.splice(0);
    const isNew = ({ ordinal }: pb.RunEvent): boolean => afterOrdinal !== undefined && ordinal > afterOrdinal;
    const events = batch.sequence > afterSequence ? batch.events : batch.events.filter(isNew);
    if (batch.type === 'RunEnded') held = [...events];
    else yield* events;
  }
  yield* held;
}

/** Of many, without a copy of all; one at least, and no more than PAGE_BYTES. */
function pageOf(items: Iterable<TaskRecord>, first: number, end: number): pb.Task[] {
  const found: pb.Task[] = [];
  let [at, bytes] = [0, 0];
  for (const item of items) {
    if (at >= end) break;
    if (at++ < first) continue;
    const task = toTask(item);
    bytes += pb.Task.encode(task).finish().length;
    if (found.length > 0 && bytes > PAGE_BYTES) break;
    found.push(task);
  }
  return found;
}

function pageSize(asked: number): number {
  if (asked > MAX_PAGE) throw new ServiceError('INVALID_ARGUMENT', `page_size is ${asked}; at most ${MAX_PAGE}`);
  return asked === 0 ? DEFAULT_PAGE : asked;
}

function offsetOf(token: string): number {
  if (token === '') return 0;
  const offset = Number(token);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new ServiceError('INVALID_ARGUMENT', `page_token '${token}' is not one that was given out`);
  return offset;
}
