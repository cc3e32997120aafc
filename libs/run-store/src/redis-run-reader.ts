/**
 * Readers: headers, lists, logs, followers.
 *
 * Invariants:
 *  1. Nothing is read in one piece that can be long.
 *  2. A follower subscribes before its first read, so it misses nothing.
 *  3. A run that cannot be read is a fault of that run: a list shows it as such, and goes on.
 */
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import { LIST_BYTES, SEALING_EVENT, checkLimit, matches } from './limits.js';
import { decodePageToken, encodePageToken, runIdAt } from './page-token.js';
import { type LogEntry, type RunHeader, type RunObject, type RunQuery, type RunReader, type StoredObject, partitionOf } from './ports.js';
import { ForeignMessageError, UnreadableRunError } from './errors.js';
import { decodeHeader, unreadable } from './header-codec.js';
import type { RedisRunEntries } from './redis-run-entries.js';
import type { RedisRunObjects } from './redis-run-objects.js';
import { type RunScript, defineScript } from './redis-script.js';
import type { RedisRunIndex } from './redis-run-index.js';
import { removeRun } from './scripts/remove-run.lua.js';
import type { Subscriptions } from './subscriptions.js';
import { Wake } from './wake.js';

/** Headers looked at per step of a list. */
const BATCH = 100;

/** Longer than anybody takes to archive a run, a Redis that is down included. */
const REMOVED_S = 86_400;

export class RedisRunReader implements RunReader {
  private readonly removeRun: RunScript;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly index: RedisRunIndex,
    private readonly subscriptions: Subscriptions,
    private readonly objects: RedisRunObjects,
    private readonly entries: RedisRunEntries,
  ) {
    this.removeRun = defineScript(redis, removeRun);
  }

  async get(runId: string): Promise<RunHeader | undefined> {
    return (await this.look(runId))?.header;
  }

  object(runId: string, which: RunObject): Promise<StoredObject | undefined> {
    return this.objects.open(runId, which);
  }

  async list(query: RunQuery): Promise<{ runs: RunHeader[]; nextPageToken?: string }> {
    checkLimit(query.limit);
    const after = query.pageToken ? decodePageToken(query.pageToken) : undefined;
    const runs: RunHeader[] = [];
    let bytes = 0;
    let last: string | undefined;
    for await (const positions of this.index.newestFirst(query.projectId, after, Math.min(query.limit + 1, BATCH))) {
      const found = await Promise.all(positions.map((position) => this.lookMatching(position, query)));
      for (const [i, one] of found.entries()) {
        if (!one) continue;
        // More than this page takes is there: it ends at the last one taken.
        const full = runs.length === query.limit || bytes + one.bytes > LIST_BYTES;
        if (full && last !== undefined) return { runs, nextPageToken: encodePageToken(last) };
        runs.push(one.header);
        bytes += one.bytes;
        last = positions[i];
      }
    }
    return { runs };
  }

  async read(runId: string, afterSequence: number): Promise<LogEntry[]> {
    const all: LogEntry[] = [];
    for await (const page of this.entries.pages(runId, afterSequence)) for (const entry of page) all.push(entry);
    return all;
  }

  async *follow(runId: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<LogEntry, void, undefined> {
    let last = afterSequence;
    let closed = false;
    const wake = new Wake();
    const wakeUp = (): void => wake.signal();
    const stop = await this.subscriptions.subscribe(this.keys.nudge(partitionOf(runId)), {
      what: 'a nudge',
      onMessage: (message) => {
        const nudge = parseNudge(message);
        if (nudge.runId === runId && (nudge.sequence > last || nudge.sequence === 0)) wake.signal();
      },
      onReset: wakeUp,
      onClose: () => {
        closed = true;
        wake.signal();
      },
    });
    signal.addEventListener('abort', wakeUp);
    wake.signal();
    try {
      for (;;) {
        await wake.next();
        const before = last;
        let sealed = false;
        if (signal.aborted || closed) return;
        for await (const page of this.entries.pages(runId, last)) {
          if (signal.aborted || closed) return;
          for (const entry of page) {
            if (signal.aborted) return;
            last = entry.sequence;
            yield entry;
            sealed = entry.event.type === SEALING_EVENT;
          }
        }
        if (sealed) return;
        if (last === before && (await this.isOver(runId, last))) return;
      }
    } finally {
      signal.removeEventListener('abort', wakeUp);
      await stop();
    }
  }

  async remove(runId: string): Promise<boolean> {
    const { header, log, taskLog, taskLogSize, taskLogState, ended, nudge, removed, object } = this.keys;
    const answer = await this.removeRun(
      [
        ...[header(runId), log(runId), taskLog(runId), taskLogSize(runId), ended(partitionOf(runId)), taskLogState(runId), removed(runId)],
        ...[object(runId, 'inputs'), object(runId, 'outputs')],
      ],
      [runId, nudge(partitionOf(runId)), REMOVED_S],
    );
    if (answer === null) return false;
    const [json, idempotencyKey] = answer as [string, string];
    const gone = readable(runId, json);
    // An entry that stays leads to no run, and is passed over.
    if (gone) await this.index.remove(gone);
    if (idempotencyKey !== '') await this.redis.del(idempotencyKey);
    return true;
  }

  /** @throws UnreadableRunError */
  private async look(runId: string): Promise<Look | undefined> {
    const [text, now] = await this.redis.hmget(this.keys.header(runId), 'json', 'now').catch((error: unknown): never => {
      throw isReply(error) ? new UnreadableRunError(runId, `its header in the store is not one: ${error.message}`) : (error as Error);
    });
    if (typeof text !== 'string') return undefined;
    return { header: decodeHeader(runId, text, now), bytes: text.length + (now?.length ?? 0) };
  }

  /** What the query is not about is left out, what cannot be read is said. */
  private async lookMatching(position: string, query: RunQuery): Promise<Look | undefined> {
    const runId = runIdAt(position);
    let state: string | undefined;
    try {
      if (query.states?.length) {
        state = (await this.redis.hget(this.keys.header(runId), 'state')) ?? undefined;
        if (!(query.states as (string | undefined)[]).includes(state)) return undefined;
      }
      const found = await this.look(runId);
      return found && matches(found.header, query) ? found : undefined;
    } catch (error) {
      if (!isReply(error) && !(error instanceof UnreadableRunError)) throw error;
      const header = unreadable(position, state, query.projectId, (error as Error).message);
      return matches(header, query) ? { header, bytes: header.failure?.message.length ?? 0 } : undefined;
    }
  }

  private async isOver(runId: string, last: number): Promise<boolean> {
    const [state, sealed] = await this.redis.hmget(this.keys.header(runId), 'state', 'sealed');
    if (state === null) return true;
    return typeof sealed === 'string' && last >= Number(sealed);
  }
}

function readable(runId: string, json: string): RunHeader | undefined {
  try {
    return decodeHeader(runId, json, undefined);
  } catch {
    return undefined;
  }
}

interface Look {
  header: RunHeader;
  bytes: number;
}

/** What Redis has to say about what lies there, and not that it cannot be reached. */
function isReply(error: unknown): error is Error {
  return (
    (error as { name?: unknown } | null)?.name === 'ReplyError' &&
    !/^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOAUTH|NOPERM|OOM)/.test((error as Error).message)
  );
}

/** `<sequence> <run id>` @throws ForeignMessageError */
export function parseNudge(message: string): { sequence: number; runId: string } {
  const [, sequence, runId] = /^(\d{1,15}) (\S{1,200})$/.exec(message) ?? [];
  if (runId === undefined) throw new ForeignMessageError('expected a sequence and the id of a run');
  return { sequence: Number(sequence), runId };
}
