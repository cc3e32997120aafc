/** Runs that are in the archive: all of them, in the end, and they answer as they did right after they had ended. */
import type { RunStore } from '@weft/run-store';
import { type ChaosClient, type FinalRun, LostRun, type TaskOf } from '../client.js';
import type { Evidence } from './verdict.js';

export async function notArchived(live: RunStore, { acknowledged }: Evidence): Promise<string[]> {
  const headers = await Promise.all(acknowledged.map(({ runId }) => live.reader.get(runId)));
  return headers.flatMap((header) => (header ? [`run ${header.runId} is still in Redis, ${header.state}`] : []));
}

export async function otherAnswers({ client, acknowledged }: Evidence): Promise<string[]> {
  const problems: string[] = [];
  for (const [i, { runId, ended }] of acknowledged.entries()) {
    const now = await answers(client, runId, i);
    if (typeof now === 'string') {
      problems.push(now);
      continue;
    }
    for (const what of ['run', 'tasks'] as const) {
      const [before, after] = [JSON.stringify(ended?.[what]), JSON.stringify(now[what])];
      if (before !== after) problems.push(`${what} of ${runId}: ${after}; right after its end: ${before}`);
    }
  }
  return problems;
}

/** In words, where the run is lost. */
async function answers(client: ChaosClient, runId: string, first: number): Promise<{ run: FinalRun; tasks: TaskOf[] } | string> {
  try {
    return { run: await client.final(runId, first), tasks: await client.tasks(runId, first) };
  } catch (error) {
    if (error instanceof LostRun) return error.message;
    throw error;
  }
}
