/**
 * Lists over the seam: live runs and archived ones in one order, under one kind of page token.
 *
 * Invariants:
 *  1. The archive is not asked for what cannot be there: runs that have not ended, and positions before the newest archived run.
 *  2. A run that is in both places is the live one, once.
 *  3. A page has as many bytes of headers as a live one; one that cannot be read is listed as such.
 *  4. One page looks at a bounded number of archived runs: where a filter leaves out more than that, the page ends early, with a token.
 */
import { UnreadableRunError } from '../errors.js';
import { unreadable } from '../header-codec.js';
import { isFinal, LIST_BYTES, matches } from '../limits.js';
import { decodePageToken, encodePageToken, positionOf } from '../page-token.js';
import type { RunHeader, RunQuery, RunReader } from '../ports.js';
import type { IndexedRun, RunArchive, RunRetention } from '../retention.ports.js';

type Page = Awaited<ReturnType<RunReader['list']>>;

/** Headers fetched together. */
const BATCH = 16;
/** What one page may cost: an index entry 1, a header that a filter left out 20. */
const BUDGET = 40_000;
const HEADER_COST = 20;

export class ArchivedRuns {
  constructor(
    private readonly live: RunReader,
    private readonly retention: RunRetention,
    private readonly archive: RunArchive,
    private readonly budget = BUDGET,
  ) {}

  async list(query: RunQuery): Promise<Page> {
    const live = await this.live.list(query);
    if (query.states?.length && !query.states.some(isFinal)) return live;
    const newest = await this.retention.newestArchived();
    const lastLive = live.runs.at(-1);
    const full = live.nextPageToken !== undefined && lastLive !== undefined;
    if (newest === undefined || (full && positionOf(lastLive) > newest)) return live;
    return this.merge(query, live.runs, full);
  }

  private async merge(query: RunQuery, live: RunHeader[], liveFull: boolean): Promise<Page> {
    const after = query.pageToken ? decodePageToken(query.pageToken) : undefined;
    const archived = new Cursor(this.matching(query, after));
    const runs: RunHeader[] = [];
    let [next, bytes] = [0, 0];
    for (;;) {
      const one = live[next];
      // A full live page is all that is needed of the live runs; what comes after it is on the next page.
      if (one === undefined && liveFull) return this.page(runs, true);
      const other = await archived.head();
      if (other !== undefined && 'exhausted' in other && (one === undefined || positionOf(one) < other.exhausted)) {
        await archived.close();
        return { runs, nextPageToken: encodePageToken(other.exhausted) };
      }
      const found = other !== undefined && 'header' in other ? other.header : undefined;
      if (one === undefined && found === undefined) return { runs };
      const takeLive = one !== undefined && (found === undefined || positionOf(one) >= positionOf(found));
      bytes += JSON.stringify(takeLive ? one : found).length;
      if (runs.length === query.limit || (runs.length > 0 && bytes > LIST_BYTES)) {
        await archived.close();
        return this.page(runs, true);
      }
      if (found !== undefined && (!takeLive || one.runId === found.runId)) archived.take();
      if (takeLive) next += 1;
      runs.push(takeLive ? one : (found as RunHeader));
    }
  }

  private page(runs: RunHeader[], more: boolean): Page {
    const last = runs.at(-1);
    return more && last !== undefined ? { runs, nextPageToken: encodePageToken(positionOf(last)) } : { runs };
  }

  /** Archived runs that the query wants, newest first; then, where the budget did not reach the end, how far it got. */
  private async *matching(query: RunQuery, after: string | undefined): AsyncGenerator<Found, void, undefined> {
    let spent = 0;
    for await (const page of this.archive.newestFirst(query.projectId, after)) {
      const wanted = page.filter(({ state }) => !query.states?.length || query.states.includes(state));
      spent += page.length;
      for (let first = 0; first < wanted.length; first += BATCH) {
        const batch = wanted.slice(first, first + BATCH);
        const headers = await Promise.all(batch.map((indexed) => this.headerOrWord(indexed, query.projectId)));
        for (const [i, header] of headers.entries()) {
          if (header && matches(header, query)) yield { header };
          else spent += HEADER_COST;
          if (spent > this.budget) return yield { exhausted: batch[i]?.position ?? '' };
        }
      }
      const last = page.at(-1);
      if (spent > this.budget && last !== undefined) return yield { exhausted: last.position };
    }
  }

  private headerOrWord(indexed: IndexedRun, projectId: string | undefined): Promise<RunHeader | undefined> {
    return this.headerOf(indexed).catch((error: unknown) => {
      if (error instanceof UnreadableRunError) return unreadable(indexed.position, indexed.state, projectId, error.message);
      throw error;
    });
  }

  private async headerOf({ runId, state, position }: IndexedRun): Promise<RunHeader | undefined> {
    const live = await this.live.get(runId);
    if (live) return live;
    const header = (await this.archive.find(runId))?.header;
    return header?.state === state && positionOf(header) === position ? header : undefined;
  }
}

type Found = { header: RunHeader } | { exhausted: string };

/** One item ahead of an async source. */
class Cursor<T> {
  private ahead: Promise<IteratorResult<T, void>> | undefined;

  constructor(private readonly source: AsyncGenerator<T, void, undefined>) {}

  async head(): Promise<T | undefined> {
    this.ahead ??= this.source.next();
    const { value } = await this.ahead;
    return value ?? undefined;
  }

  take(): void {
    this.ahead = undefined;
  }

  async close(): Promise<void> {
    await this.source.return();
  }
}
