/** Task logs: one stream per run, bounded by bytes; a cursor is an id of that stream. */
import type { Redis } from 'ioredis';
import { InvalidRequestError } from './errors.js';
import type { Keys } from './keys.js';
import { TASK_LOG_ENTRY_OVERHEAD, TASK_LOG_LIMIT_BYTES, splitText } from './limits.js';
import type { TaskLogChunk, TaskLogs } from './ports.js';
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
  async append(runId: string, chunks: TaskLogChunk[]): Promise<void> {
    const texts = chunks.flatMap((chunk) => splitText(chunk.text).map((text) => JSON.stringify({ ...chunk, text })));
    const keys = [this.keys.header(runId), this.keys.taskLog(runId), this.keys.taskLogSize(runId)];
    for (let i = 0; i < texts.length; i += CHUNKS_PER_CALL) {
      const args = [TASK_LOG_LIMIT_BYTES, TASK_LOG_ENTRY_OVERHEAD, this.keys.taskLogNudge(runId)];
      await this.appendTaskLogs(keys, [...args, ...texts.slice(i, i + CHUNKS_PER_CALL)]);
    }
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
    const listener = { onMessage: wakeUp, onReset: wakeUp, onClose };
    const stop = follow ? await this.subscriptions.subscribe(this.keys.taskLogNudge(runId), listener) : undefined;
    signal.addEventListener('abort', wakeUp);
    wake.signal();
    try {
      let cursor = afterCursor;
      do {
        await wake.next();
        for (let more = true; more;) {
          if (signal.aborted || closed) return;
          const page = await this.redis.xrange(this.keys.taskLog(runId), cursor === '' ? '-' : `(${cursor}`, '+', 'COUNT', PAGE);
          more = page.length === PAGE;
          for (const [id, fields] of page) {
            if (signal.aborted) return;
            cursor = id;
            yield { ...(JSON.parse(fields[1] ?? '') as TaskLogChunk), cursor };
          }
        }
      } while (follow);
    } finally {
      signal.removeEventListener('abort', wakeUp);
      await stop?.();
    }
  }
}
