/**
 * A run's events from the first to the last, across reconnects: a service that is restarted in between loses nothing.
 */
import { type run, status } from '@weft/contracts';
import { isServiceError } from '@weft/platform/client';
import type { ResumePoint, RunsClient } from './runs-client.js';

const RECONNECT_DELAY_MS = 200;
/** CANCELLED: the service closes its streams when it is stopped. */
const LOST: ReadonlySet<string> = new Set(['UNAVAILABLE', 'CANCELLED']);

export async function* followRun(runs: RunsClient, runId: string, signal?: AbortSignal): AsyncGenerator<run.RunEvent, void, undefined> {
  let seen: ResumePoint = { afterSequence: 0 };
  for (;;) {
    try {
      for await (const event of runs.watch(runId, seen, signal)) {
        if (event.event?.$case !== 'note') seen = { afterSequence: event.sequence, afterOrdinal: event.ordinal };
        yield event;
        if (event.event?.$case === 'runStatus' && status.isFinalStatus(event.event.value.status)) return;
      }
    } catch (error) {
      if (signal?.aborted || !isServiceError(error) || !LOST.has(error.code)) throw error;
    }
    // The stream ended before the run did: the service went away and comes back.
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_DELAY_MS));
  }
}
