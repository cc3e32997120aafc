/** `weft ls`: runs, newest first. */
import { run } from '@weft/contracts';
import { runStatusOf, runWord } from '../client/status.js';
import { localTime, table, took } from '../table.js';
import { withConnection } from './with-runs.js';

export interface LsOptions {
  status?: string[];
  project: string;
  limit: number;
  json?: boolean;
  gateway?: string;
}

const MAX_PAGE = 1000;

export async function lsCommand(options: LsOptions): Promise<void> {
  const statuses = (options.status ?? []).map(runStatusOf);
  const runs: run.Run[] = [];
  await withConnection(options, async ({ runs: client, otherStates }) => {
    let pageToken = '';
    do {
      const pageSize = Math.min(options.limit - runs.length, MAX_PAGE);
      const page = await client.list({ projectId: options.project, statuses, pageSize, pageToken });
      for (const run of page.runs) runs.push(run);
      pageToken = page.nextPageToken;
    } while (pageToken !== '' && runs.length < options.limit);
    const others = await otherStates?.();
    if (others !== undefined) process.stderr.write(`weft: ${others}\n`);
  });
  if (options.json)
    return void process.stdout.write(
      `${JSON.stringify(
        runs.map((item) => run.Run.toJSON(item)),
        null,
        2,
      )}\n`,
    );
  if (runs.length === 0) return void process.stderr.write('weft: no runs\n');
  process.stdout.write(table(['RUN', 'STATUS', 'SUBMITTED', 'TOOK', 'TASKS', 'NAME'], runs.map(row)));
}

function row(item: run.Run): string[] {
  const tasks = item.tasks;
  const done = tasks === undefined ? 0 : tasks.succeeded + tasks.skipped;
  const progress = tasks === undefined ? '' : `${done}/${tasks.known}`;
  return [item.runId, runWord(item.status), localTime(item.submittedAt), took(item), progress, item.name];
}
