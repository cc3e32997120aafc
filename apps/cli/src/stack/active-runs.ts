/**
 * Follows the runs that are active until there are none: by their event streams, never by asking again and again.
 */
import { run, scheduler } from '@weft/contracts';
import { callServerStream, callUnary, createClient } from '@weft/platform/client';

const LOOK_MS = 5_000;
const ACTIVE = [run.RunStatus.PENDING, run.RunStatus.RUNNING, run.RunStatus.CANCELLING];

export async function runsFinished(schedulerAddress: string, signal: AbortSignal): Promise<void> {
  const client = createClient(scheduler.SchedulerClient, schedulerAddress, process.env['WEFT_SERVICE_SECRET']);
  try {
    for (;;) {
      const request = scheduler.ListRunsRequest.fromPartial({ statuses: ACTIVE, pageSize: 100 });
      const { runs } = await callUnary(client, client.listRuns, request, { signal });
      if (runs.length === 0) return;
      for (const { runId } of runs) await untilEnd(client, runId, signal);
    }
  } finally {
    client.close();
  }
}

/** One look; a scheduler that does not answer by then rejects. */
export async function anyRunActive(schedulerAddress: string): Promise<boolean> {
  const client = createClient(scheduler.SchedulerClient, schedulerAddress, process.env['WEFT_SERVICE_SECRET']);
  try {
    const request = scheduler.ListRunsRequest.fromPartial({ statuses: ACTIVE, pageSize: 1 });
    return (await callUnary(client, client.listRuns, request, { deadlineMs: LOOK_MS })).runs.length > 0;
  } finally {
    client.close();
  }
}

async function untilEnd(client: scheduler.SchedulerClient, runId: string, signal: AbortSignal): Promise<void> {
  const events = callServerStream(client.watchRun.bind(client), { runId, afterSequence: 0 }, { signal });
  for await (const event of events) {
    if (event.event?.$case === 'runStatus' && !ACTIVE.includes(event.event.value.status)) return;
  }
}
