/**
 * Readers: headers, lists, logs, followers.
 *
 * Invariants: nothing is read in one piece that can be long; a follower subscribes before its first read, so it misses nothing.
 */
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import { SEALING_EVENT, checkLimit, matches } from './limits.js';
import { decodeEntry } from './log-codec.js';
import { decodePageToken, encodePageToken, runIdAt } from './page-token.js';
import { type LogEntry, type RunHeader, type RunQuery, type RunReader, partitionOf } from './ports.js';
import { type RunScript, defineScript } from './redis-script.js';
import type { RedisRunIndex } from './redis-run-index.js';
import { removeRun } from './scripts/remove-run.lua.js';
import type { Subscriptions } from './subscriptions.js';
import { Wake } from './wake.js';

/** Entries per XRANGE: a few milliseconds of Redis' time, however long the log. */
const PAGE = 1000;
/** Headers looked at per step of a list. */
const BATCH = 200;

/** Longer than anybody takes to archive a run, a Redis that is down included. */
const REMOVED_S = 86_400;

export class RedisRunReader implements RunReader {
  private readonly removeRun: RunScript;

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly index: RedisRunIndex,
    private readonly subscriptions: Subscriptions,
  ) {
    this.removeRun = defineScript(redis, removeRun);
  }

  async get(runId: string): Promise<RunHeader | undefined> {
    const [text, now] = await this.redis.hmget(this.keys.header(runId), 'json', 'now');
    if (typeof text !== 'string') return undefined;
    const header = JSON.parse(text) as RunHeader;
    return typeof now === 'string' ? { ...header, ...(JSON.parse(now) as Partial<RunHeader>) } : header;
  }

  async list(query: RunQuery): Promise<{ runs: RunHeader[]; nextPageToken?: string }> {
    checkLimit(query.limit);
    const after = query.pageToken ? decodePageToken(query.pageToken) : undefined;
    const runs: RunHeader[] = [];
    let last: string | undefined;
    for await (const positions of this.index.newestFirst(query.projectId, after, Math.min(query.limit + 1, BATCH))) {
      const headers = await Promise.all(positions.map((position) => this.getMatching(runIdAt(position), query)));
      for (const [i, header] of headers.entries()) {
        if (!header) continue;
        // One more than asked for is there: the page ends at the last one taken.
        if (runs.length === query.limit && last !== undefined) return { runs, nextPageToken: encodePageToken(last) };
        runs.push(header);
        last = positions[i];
      }
    }
    return { runs };
  }

  async read(runId: string, afterSequence: number): Promise<LogEntry[]> {
    const all: LogEntry[] = [];
    for (;;) {
      const page = await this.readPage(runId, all.at(-1)?.sequence ?? afterSequence);
      for (const entry of page) all.push(entry);
      if (page.length < PAGE) return all;
    }
  }

  async *follow(runId: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<LogEntry, void, undefined> {
    let last = afterSequence;
    let closed = false;
    const wake = new Wake();
    const wakeUp = (): void => wake.signal();
    const stop = await this.subscriptions.subscribe(this.keys.nudge(partitionOf(runId)), {
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
        for (let more = true; more;) {
          if (signal.aborted || closed) return;
          const page = await this.readPage(runId, last);
          more = page.length === PAGE;
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
    const { header, log, taskLog, taskLogSize, taskLogState, ended, nudge, removed } = this.keys;
    const answer = await this.removeRun(
      [header(runId), log(runId), taskLog(runId), taskLogSize(runId), ended(partitionOf(runId)), taskLogState(runId), removed(runId)],
      [runId, nudge(partitionOf(runId)), REMOVED_S],
    );
    if (answer === null) return false;
    const [json, idempotencyKey] = answer as [string, string];
    await this.index.remove(JSON.parse(json) as RunHeader);
    if (idempotencyKey !== '') await this.redis.del(idempotencyKey);
    return true;
  }

  private async getMatching(runId: string, query: RunQuery): Promise<RunHeader | undefined> {
    if (query.states?.length) {
      // Long input objects are not fetched for runs that the query leaves out.
      const state = await this.redis.hget(this.keys.header(runId), 'state');
      if (state === null || !(query.states as string[]).includes(state)) return undefined;
    }
    const header = await this.get(runId);
    return header && matches(header, query) ? header : undefined;
  }

  private async readPage(runId: string, afterSequence: number): Promise<LogEntry[]> {
    const entries = await this.redis.xrange(this.keys.log(runId), `(${afterSequence}-0`, '+', 'COUNT', PAGE);
    return entries.map(decodeEntry);
  }

  private async isOver(runId: string, last: number): Promise<boolean> {
    const [state, sealed] = await this.redis.hmget(this.keys.header(runId), 'state', 'sealed');
    if (state === null) return true;
    return typeof sealed === 'string' && last >= Number(sealed);
  }
}

/** `<sequence> <run id>` */
export function parseNudge(message: string): { sequence: number; runId: string } {
  const space = message.indexOf(' ');
  return { sequence: Number(message.slice(0, space)), runId: message.slice(space + 1) };
}
