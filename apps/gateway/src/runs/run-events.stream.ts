/**
 * A run's events as Server-Sent Events.
 *
 * Invariants:
 *  1. An id is `<sequence>` or, for further events of the same log entry, `<sequence>.<n>`: resuming after any id loses no status
 *     event and repeats none. Notes carry no id, because they may not be in the log.
 *  2. The stream ends with the event `end` exactly when the run has ended; a stream that ends without it is to be resumed.
 */
import { writeJson } from '@weft/plan';
import type { run } from '@weft/contracts';
import { ServiceError, toServiceError } from '@weft/platform';
import { failureView, iso, jsonObject, runStatusWord, taskView } from './run.view.js';

/** Where a client wants to go on: after the n-th (from 0) status event of a log entry. */
export interface ResumePoint {
  sequence: number;
  ordinal: number;
}

/** Milliseconds after which a client that lost the stream should come back. */
const RETRY_MS = 2000;

/** @throws ServiceError INVALID_ARGUMENT for an id that this stream never gave out. */
export function parseLastEventId(id: string | undefined): ResumePoint | undefined {
  if (id === undefined || id === '') return undefined;
  const match = /^(\d{1,15})(?:\.(\d{1,6}))?$/.exec(id);
  if (!match || Number(match[1]) === 0) throw new ServiceError('INVALID_ARGUMENT', `Last-Event-ID: '${id}' is not an id of this stream`);
  return { sequence: Number(match[1]), ordinal: Number(match[2] ?? 0) };
}

/** The sequence to ask the scheduler to replay after. */
export const replayAfter = (resume: ResumePoint | undefined): number => (resume ? resume.sequence - 1 : 0);

export interface NumberedEvent {
  event: run.RunEvent;
  /** Absent for notes. */
  id?: string;
}

/** Numbers events and leaves out those up to the resume point. */
export async function* numberedEvents(source: AsyncIterable<run.RunEvent>, resume?: ResumePoint): AsyncGenerator<NumberedEvent, void> {
  let current = 0;
  let ordinal = -1;
  for await (const event of source) {
    if (event.event?.$case === 'note') {
      yield { event };
      continue;
    }
    ordinal = event.sequence === current ? ordinal + 1 : 0;
    current = event.sequence;
    if (resume && (current < resume.sequence || (current === resume.sequence && ordinal <= resume.ordinal))) continue;
    yield { event, id: ordinal === 0 ? `${current}` : `${current}.${ordinal}` };
  }
}

const HEARTBEAT = Symbol('heartbeat');

/**
 * SSE text of the events. `signal` aborts when the client is gone or the gateway closes: the text then ends without `end`.
 * A failure of the source becomes one `stream-error` event.
 */
export async function* sseFrames(
  events: AsyncIterable<NumberedEvent>,
  signal: AbortSignal,
  heartbeatMs: number,
): AsyncGenerator<string, void> {
  yield `retry: ${RETRY_MS}\n\n`;
  try {
    for await (const next of withHeartbeats(events, heartbeatMs)) yield next === HEARTBEAT ? ': heartbeat\n\n' : frame(next);
  } catch (error) {
    if (signal.aborted) return;
    const problem = toServiceError(error);
    yield `event: stream-error\ndata: ${JSON.stringify({ error: problem.message, code: problem.code })}\n\n`;
    return;
  }
  if (!signal.aborted) yield 'event: end\ndata: {}\n\n';
}

async function* withHeartbeats(source: AsyncIterable<NumberedEvent>, ms: number): AsyncGenerator<NumberedEvent | typeof HEARTBEAT, void> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const result = await orHeartbeat(next, ms);
      if (result === HEARTBEAT) yield HEARTBEAT;
      else if (result.done) return;
      else {
        yield result.value;
        next = iterator.next();
      }
    }
  } finally {
    // A reader that left early: whatever the source still brings, or fails with, has nobody to go to.
    const gone = (): undefined => undefined;
    next.then(gone, gone);
    iterator.return?.().then(gone, gone);
  }
}

function orHeartbeat<T>(next: Promise<T>, ms: number): Promise<T | typeof HEARTBEAT> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(HEARTBEAT), ms);
    next.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function frame({ event, id }: NumberedEvent): string {
  const { type, body } = payload(event);
  const data = { run_id: event.runId, sequence: event.sequence, at: iso(event.at), ...body };
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${writeJson(data)}\n\n`;
}

function payload({ event }: run.RunEvent): { type: string; body: Record<string, unknown> } {
  switch (event?.$case) {
    case 'runStatus': {
      const { status, outputsJson, outputsOmitted, failure } = event.value;
      const outputs = jsonObject(outputsJson, 'the output object');
      return {
        type: 'run_status',
        body: { status: runStatusWord(status), outputs, outputs_omitted: outputsOmitted, failure: failureView(failure) },
      };
    }
    case 'taskStatus': {
      if (!event.value.task) throw new ServiceError('INTERNAL', 'a task event came without its task');
      return { type: 'task_status', body: { task: taskView(event.value.task) } };
    }
    case 'note':
      return {
        type: 'note',
        body: { task_id: event.value.taskId, step: event.value.step, index: event.value.index, text: event.value.text },
      };
    case undefined:
      throw new ServiceError('INTERNAL', 'an event of a kind this gateway does not know: the services are of different versions');
  }
}
