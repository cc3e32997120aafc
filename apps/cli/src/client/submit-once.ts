/**
 * One submission, however often its call has to be made: a connection that is lost after the request was sent leaves open whether it arrived.
 *
 * Invariant: every call carries the same idempotency key, so that all of them lead to one run.
 */
import { randomUUID } from 'node:crypto';
import { isServiceError } from '@weft/platform/client';
import type { RunsClient, Submission, Submitted } from './runs-client.js';

/** Milliseconds before each further call; they outlast a restart of what the client talks to. */
const PAUSES_MS = [200, 500, 1_000, 2_000, 4_000, 8_000];

export async function submitOnce(
  runs: Pick<RunsClient, 'submit'>,
  submission: Submission,
  pause: (ms: number) => Promise<void> = sleep,
): Promise<Submitted> {
  const named = { ...submission, idempotencyKey: submission.idempotencyKey || `weft-run-${randomUUID()}` };
  for (const pauseMs of PAUSES_MS) {
    try {
      return await runs.submit(named);
    } catch (error) {
      if (!isServiceError(error) || error.code !== 'UNAVAILABLE') throw error;
    }
    await pause(pauseMs);
  }
  return runs.submit(named);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
