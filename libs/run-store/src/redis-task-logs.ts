/**
 * Task logs: one stream per run, bounded by bytes; a cursor is an id of that stream. How much went from it, and whose chunks are the last to go,
 * is in a hash beside it, which only runs have that lost chunks or have failed attempts.
 */
import { jsonOf } from '@weft/plan';
import type { Redis } from 'ioredis';
import { InvalidRequestError } from './errors.js';
import type { Keys } from './keys.js';
import { KEPT_ATTEMPTS, TASK_LOG_ENTRY_OVERHEAD, TASK_LOG_LIMIT_BYTES, splitText } from './limits.js';
import type { AlsoInLog, TaskLogChunk, TaskLogs } from './ports.js';
import { type RunScript, defineScript } from './redis-script.js';
import { appendTaskLogs } from './scripts/append-task-logs.lua.js';
import type { Subscriptions } from './subscriptions.js';
import { Wake } from './wake.js';

const PAGE = 200;
/** Chunks per script call, so that a burst does not hold up Redis. */
const CHUNKS_PER_CALL = 200;

export class RedisTaskLogs implements TaskLogs {
  private readonly appendTaskLogs: RunScript;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly subscriptions: Subscriptions,
  ) {
    this.appendTaskLogs = defineScript(redis, appendTaskLogs);
  }

  /** Chunks of a run that does not exist (any more) are dropped. */
  async append(runId: string, chunks: TaskLogChunk[], { drop = [], keep = [] }: AlsoInLog = {}): Promise<string[][]> {
    if (chunks.length === 0 && drop.length === 0 && keep.length === 0) return [];
    const parts = chunks.flatMap((chunk, of) => splitText(chunk.text).map((text) => ({ of, fields: fieldsOf({ ...chunk, text }) })));
    const { header, taskLog, taskLogSize, taskLogState, taskLogNudge } = this.keys;
    const keys = [header(runId), taskLog(runId), taskLogSize(runId), taskLogState(runId)];
    const cursors: string[][] = chunks.map(() => []);
    const kept = keep.map(attemptKey).slice(-KEPT_ATTEMPTS).join(' ');
    for (let i = 0; i < Math.max(parts.length, drop.length, 1); i += CHUNKS_PER_CALL) {
      const now = parts.slice(i, i + CHUNKS_PER_CALL);
      const gone = drop.slice(i, i + CHUNKS_PER_CALL);
      const args = [TASK_LOG_LIMIT_BYTES, TASK_LOG_ENTRY_OVERHEAD, taskLogNudge(runId), i === 0 ? kept : '', KEPT_ATTEMPTS];
      const answer = await this.appendTaskLogs(keys, [...args, gone.length, ...gone, ...now.flatMap(({ fields }) => fields)]);
      for (const [n, cursor] of ((answer ?? []) as string[]).entries()) cursors[now[n]?.of ?? 0]?.push(cursor);
    }
    return cursors;
  }

  async *stream(
    runId: string,
    afterCursor: string,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<TaskLogChunk & { cursor: string }, void, undefined> {
    if (!/^(\d+-\d+)?$/.test(afterCursor)) throw new InvalidRequestError('this log cursor is not one of ours');
    let closed = false;
    const wake = new Wake();
    const wakeUp = (): void => wake.signal();
    const onClose = (): void => {
      closed = true;
      wake.signal();
    };
    const listener = { what: 'news of a log', onMessage: wakeUp, onReset: wakeUp, onClose };
    const stop = follow ? await this.subscriptions.subscribe(this.keys.taskLogNudge(runId), listener) : undefined;
    signal.addEventListener('abort', wakeUp);
    wake.signal();
    try {
      let cursor = afterCursor;
      const gone = afterCursor === '' ? await this.gone(runId) : undefined;
      if (gone !== undefined) yield gone;
      do {
        await wake.next();
        for (let more = true; more;) {
          if (signal.aborted || closed) return;
          const page = await this.redis.xrange(this.keys.taskLog(runId), cursor === '' ? '-' : `(${cursor}`, '+', 'COUNT', PAGE);
          more = page.length === PAGE;
          for (const [id, fields] of page) {
            if (signal.aborted) return;
            cursor = id;
            const chunk = chunkOf(fields);
            if (chunk) yield { ...chunk, cursor };
          }
        }
      } while (follow);
    } finally {
      signal.removeEventListener('abort', wakeUp);
      await stop?.();
    }
  }

  /** What went from the log, as a chunk that comes before all others. */
  async gone(runId: string): Promise<(TaskLogChunk & { cursor: string }) | undefined> {
    const [bytes, lines] = await this.redis.hmget(this.keys.taskLogState(runId), 'bytes', 'lines');
    return typeof bytes === 'string' ? goneChunk({ bytes: Number(bytes), lines: Number(lines) }) : undefined;
  }
}

/** Cursor of the chunk before all others. */
const FIRST_CURSOR = '0-1';

export function goneChunk(omitted: { lines: number; bytes: number }): TaskLogChunk & { cursor: string } {
  return { taskId: '', step: '', stream: 'system', text: '', atMs: 0, omitted, cursor: FIRST_CURSOR };
}

/** Undefined: it is none of ours; people are shown what is beside it. */
export function chunkOf([, text = '']: string[]): TaskLogChunk | undefined {
  const chunk = jsonOf(text);
  const known = typeof chunk === 'object' && chunk !== null && 'taskId' in chunk && 'text' in chunk && typeof chunk.text === 'string';
  return known ? (chunk as TaskLogChunk) : undefined;
}

/** The fields of a chunk's entry. */
export function fieldsOf(chunk: TaskLogChunk): string[] {
  const { text, place, omitted } = chunk;
  const bytes = omitted?.bytes ?? (place ? place.to - place.from : Buffer.byteLength(text));
  const lines = omitted?.lines ?? text.split('\n').length - 1;
  const key = chunk.attempt === undefined ? '-' : attemptKey({ taskId: chunk.taskId, attempt: chunk.attempt });
  return [JSON.stringify(chunk), key, `${bytes} ${lines}`];
}

function attemptKey({ taskId, attempt }: { taskId: string; attempt: number }): string {
  return `${taskId}.${attempt}`;
}
