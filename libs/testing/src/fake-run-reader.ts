/** Runs as everybody reads them, in memory: same contract as the Redis adapter's. */
import {
  LIST_BYTES,
  type LogEntry,
  type RunHeader,
  type RunObject,
  type RunQuery,
  type RunReader,
  SEALING_EVENT,
  type StoredObject,
  Wake,
  checkLimit,
  decodePageToken,
  encodePageToken,
  matches,
  partitionOf,
  positionOf,
  storedText,
} from '@weft/run-store';
import type { FakeRunStoreData } from './fake-run-data.js';

export class FakeRunReader implements RunReader {
  constructor(
    private readonly data: FakeRunStoreData,
    private readonly closed: AbortSignal,
  ) {}

  async get(runId: string): Promise<RunHeader | undefined> {
    return this.data.runs.get(runId)?.header;
  }

  async object(runId: string, which: RunObject): Promise<StoredObject | undefined> {
    const text = this.data.runs.get(runId)?.objects[which];
    return text === undefined ? undefined : storedText(text);
  }

  async list(query: RunQuery): Promise<{ runs: RunHeader[]; nextPageToken?: string }> {
    checkLimit(query.limit);
    const after = query.pageToken ? decodePageToken(query.pageToken) : undefined;
    const found = [...this.data.runs.values()]
      .filter(({ header }) => matches(header, query) && (after === undefined || positionOf(header) < after))
      .map(({ header }) => header)
      .sort((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1));
    let bytes = 0;
    const fits = found.findIndex((header, at) => (bytes += JSON.stringify(header).length) > LIST_BYTES && at > 0);
    const runs = found.slice(0, fits < 0 ? query.limit : Math.min(fits, query.limit));
    const last = runs.at(-1);
    return found.length > runs.length && last ? { runs, nextPageToken: encodePageToken(positionOf(last)) } : { runs };
  }

  async read(runId: string, afterSequence: number): Promise<LogEntry[]> {
    return (this.data.runs.get(runId)?.log.slice(afterSequence) ?? []).map((entry) => ({ ...entry }));
  }

  async *follow(runId: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<LogEntry, void, undefined> {
    const wake = new Wake();
    const stop = this.data.listen(partitionOf(runId), (id) => id === runId && wake.signal());
    const done = AbortSignal.any([signal, this.closed]);
    done.addEventListener('abort', () => wake.signal());
    wake.signal();
    try {
      for (let last = afterSequence; ;) {
        await wake.next();
        for (const entry of await this.read(runId, last)) {
          if (done.aborted) return;
          last = entry.sequence;
          yield entry;
        }
        if (this.data.runs.get(runId)?.log[last - 1]?.event.type === SEALING_EVENT) return;
        const run = this.data.runs.get(runId);
        if (done.aborted || !run || (run.sealed && last >= run.log.length)) return;
      }
    } finally {
      stop();
    }
  }

  async remove(runId: string): Promise<boolean> {
    const run = this.data.runs.get(runId);
    if (!run?.sealed) return false;
    this.data.runs.delete(runId);
    this.data.removed.add(runId);
    if (run.idempotencyKey !== undefined) this.data.idempotency.delete(run.idempotencyKey);
    this.data.nudge(runId, 0);
    return true;
  }
}
