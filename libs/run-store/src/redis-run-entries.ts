/**
 * The entries of a run's log, in pages.
 *
 * Invariants:
 *  1. How many entries a page has follows from how long they are: a page of small ones costs Redis a few milliseconds, and one of long ones is
 *     not many of them.
 *  2. An entry is whole: inputs that lie beside the log are where its event had them when it was written.
 *  3. Of a run that leaves the store while it is read, the pages end; whoever reads on finds it where it went.
 */
import { jsonOf } from '@weft/plan';
import type { Redis } from 'ioredis';
import { UnreadableRunError } from './errors.js';
import type { Keys } from './keys.js';
import { type StreamEntry, decodeEntry, hasInputsBeside } from './log-codec.js';
import type { LogEntry } from './ports.js';
import type { RecentInputs } from './recent-inputs.js';
import type { RedisRunObjects } from './redis-run-objects.js';

/** Entries; what they are like is not known before the first page. */
const FIRST = 16;
const MOST = 1000;
/** Characters that a page is to have at most. */
const WANTED = 4 * 1024 * 1024;

export class RedisRunEntries {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Pick<Keys, 'log'>,
    private readonly objects: Pick<RedisRunObjects, 'text'>,
    private readonly recent: Pick<RecentInputs, 'take'> = { take: () => undefined },
  ) {}

  /** Entries after a sequence, as far as they go now. @throws UnreadableRunError, ForeignMessageError */
  async *pages(runId: string, after: number, until?: number): AsyncGenerator<LogEntry[], void, undefined> {
    const key = this.keys.log(runId);
    const end = until === undefined ? '+' : `${until}-0`;
    for (let last = after, count = FIRST; until === undefined || last < until;) {
      const entries: StreamEntry[] = await this.redis.xrange(key, `(${last}-0`, end, 'COUNT', count);
      if (entries.length === 0) return;
      const page = entries.map(decodeEntry);
      for (const [n, entry] of entries.entries()) {
        const inputs = hasInputsBeside(entry) ? await this.inputsOf(runId) : undefined;
        if (inputs === 'left') return;
        if (inputs !== undefined) Object.assign(page[n]?.event ?? {}, { inputs });
      }
      last = page.at(-1)?.sequence ?? last;
      yield page;
      if (entries.length < count) return;
      count = nextCount(count, entries);
    }
  }

  private async inputsOf(runId: string): Promise<unknown> {
    const known = this.recent.take(runId);
    if (known !== undefined) return known;
    const text = await this.objects.text(runId, 'inputs').catch((error: unknown) => {
      if (!(error instanceof UnreadableRunError)) throw error;
    });
    const inputs = text === undefined ? undefined : jsonOf(text);
    if (inputs !== undefined) return inputs;
    if (text !== undefined) throw new UnreadableRunError(runId, 'its inputs beside its log are no JSON');
    if ((await this.redis.exists(this.keys.log(runId))) === 0) return 'left';
    throw new UnreadableRunError(runId, 'its inputs are not beside its log any more');
  }
}

function nextCount(count: number, entries: StreamEntry[]): number {
  const size = entries.reduce((sum, [, fields]) => sum + (fields[3]?.length ?? 0), 0);
  return Math.max(1, Math.min(MOST, count * 4, Math.floor((count * WANTED) / Math.max(1, size))));
}
