/**
 * A run's log in pages. How many entries a page has follows from how long they are: a page of small ones costs Redis a few milliseconds, and
 * one of long ones is not many of them.
 */
import type { Redis } from 'ioredis';
import { type StreamEntry, decodeEntry } from './log-codec.js';
import type { LogEntry } from './ports.js';

/** Entries; what they are like is not known before the first page. */
const FIRST = 16;
const MOST = 1000;
/** Characters that a page is to have at most. */
const WANTED = 4 * 1024 * 1024;

/** Entries after a sequence, as far as they go now. */
export async function* logPages(redis: Redis, key: string, after: number, until?: number): AsyncGenerator<LogEntry[], void, undefined> {
  const end = until === undefined ? '+' : `${until}-0`;
  for (let last = after, count = FIRST; until === undefined || last < until;) {
    const entries: StreamEntry[] = await redis.xrange(key, `(${last}-0`, end, 'COUNT', count);
    if (entries.length === 0) return;
    const page = entries.map(decodeEntry);
    last = page.at(-1)?.sequence ?? last;
    yield page;
    if (entries.length < count) return;
    count = nextCount(count, entries);
  }
}

function nextCount(count: number, entries: StreamEntry[]): number {
  const size = entries.reduce((sum, [, fields]) => sum + (fields[3]?.length ?? 0), 0);
  return Math.max(1, Math.min(MOST, count * 4, Math.floor((count * WANTED) / Math.max(1, size))));
}
