/** Runs that are in the archive: all of them, in the end, and they answer as they did right after they had ended. */
import type { RunStore } from '@weft/run-store';
import type { Evidence } from './verdict.js';

export async function notArchived(live: RunStore, { acknowledged }: Evidence): Promise<string[]> {
  const headers = await Promise.all(acknowledged.map(({ runId }) => live.reader.get(runId)));
  return headers.flatMap((header) => (header ? [`run ${header.runId} is still in Redis, ${header.state}`] : []));
}

export async function otherAnswers({ client, acknowledged }: Evidence): Promise<string[]> {
  const problems: string[] = [];
  for (const [i, { runId, ended }] of acknowledged.entries()) {
    const now = { run: await client.final(runId, i), tasks: await client.tasks(runId, i) };
    for (const what of ['run', 'tasks'] as const) {
      const [before, after] = [JSON.stringify(ended?.[what]), JSON.stringify(now[what])];
      if (before !== after) problems.push(`${what} of ${runId}: ${after}; right after its end: ${before}`);
    }
  }
  return problems;
}
