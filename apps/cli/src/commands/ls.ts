/** `weft ls`: runs, newest first. Those of projects (active-learning commands among them) are shown where they are asked for. */
import { run } from '@weft/contracts';
import { runStatusOf, runWord } from '../client/status.js';
import type { RunsClient } from '../client/runs-client.js';
import { CommandError } from '../errors.js';
import { shownLine } from '../shown-text.js';
import { localTime, table, took } from '../table.js';
import { withConnection } from './with-runs.js';

export interface LsOptions {
  status?: string[];
  project: string;
  all?: boolean;
  limit: number;
  json?: boolean;
  gateway?: string;
}

const MAX_PAGE = 1000;
/** Looked at for whether a project has runs that are not shown. */
const NEWEST = 50;
const SHOWN = 3;

export async function lsCommand(options: LsOptions): Promise<void> {
  const statuses = (options.status ?? []).map(runStatusOf);
  if (options.all && options.project !== '') throw new CommandError('--all and --project exclude each other');
  const withoutProject = !options.all && options.project === '';
  const runs: run.Run[] = [];
  await withConnection(options, async ({ runs: client, otherStates }) => {
    let pageToken = '';
    do {
      const pageSize = Math.min(options.limit - runs.length, MAX_PAGE);
      const page = await client.list({ projectId: options.project, withoutProject, statuses, pageSize, pageToken });
      for (const run of page.runs) runs.push(run);
      pageToken = page.nextPageToken;
    } while (pageToken !== '' && runs.length < options.limit);
    for (const note of await Promise.all([withoutProject && !options.json ? hidden(client) : undefined, otherStates?.()]))
      if (note !== undefined) process.stderr.write(`weft: ${note}\n`);
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
  const projects = runs.some(({ projectId }) => projectId !== '') && options.project === '';
  const header = ['RUN', 'STATUS', 'SUBMITTED', 'TOOK', 'TASKS', ...(projects ? ['PROJECT'] : []), 'NAME'];
  process.stdout.write(
    table(
      header,
      runs.map((item) => row(item, projects)),
    ),
  );
}

/** That newer runs of projects are there, so that nobody misses what they have just begun. */
async function hidden(client: RunsClient): Promise<string | undefined> {
  const { runs } = await client.list({ projectId: '', statuses: [], pageSize: NEWEST, pageToken: '' });
  const projects = [...new Set(runs.map(({ projectId }) => projectId).filter((project) => project !== ''))];
  if (projects.length === 0) return undefined;
  const named = projects.slice(0, SHOWN).join(', ') + (projects.length > SHOWN ? ', …' : '');
  return `runs of projects are not shown (${shownLine(named)}): --project <id> or --all shows them`;
}

/** Of the table; done is what has succeeded or was skipped. */
export function row(item: run.Run, withProject: boolean): string[] {
  const tasks = item.tasks;
  const done = tasks === undefined ? 0 : tasks.succeeded + tasks.skipped;
  const progress = tasks === undefined ? '' : `${done}/${tasks.known}`;
  return [
    item.runId,
    runWord(item.status),
    localTime(item.submittedAt),
    took(item),
    progress,
    ...(withProject ? [item.projectId] : []),
    item.name,
  ];
}
