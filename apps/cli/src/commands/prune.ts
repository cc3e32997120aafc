/** `weft prune`: frees room: finished runs by age, number, size and state; whole logs; what only the call cache keeps. */
import { run } from '@weft/contracts';
import { isServiceError } from '@weft/platform/client';
import { runStatusOf, runWord } from '../client/status.js';
import type { RunsClient } from '../client/runs-client.js';
import { CommandError } from '../errors.js';
import { homeOf } from '../home.js';
import { chooseRuns, type FinishedRun } from '../housekeeping/choose-runs.js';
import { dataDirectory, sizesOfRuns } from '../housekeeping/home-usage.js';
import { humanSize } from '../housekeeping/units.js';
import { localTime, table } from '../table.js';
import { withRuns } from './with-runs.js';

export interface PruneOptions {
  olderThan?: number;
  keep?: number;
  largerThan?: number;
  state?: string[];
  size?: number;
  cache?: boolean;
  logs?: boolean;
  dryRun?: boolean;
  gateway?: string;
}

const ENDED = ['succeeded', 'failed', 'cancelled'];
const PAGE = 1000;

export async function pruneCommand(options: PruneOptions): Promise<void> {
  const { olderThan, keep, largerThan, state, size, cache, logs } = options;
  const conditions = { olderThanMs: olderThan, keep, largerThan, states: state, size };
  const chooses = Object.values(conditions).some((value) => value !== undefined);
  if (!chooses && !cache && !logs)
    throw new CommandError(
      'say what is to go: --older-than, --keep, --larger-than, --state, --size, --logs or --cache (weft du shows what there is)',
    );
  const wrong = state?.find((word) => !ENDED.includes(word));
  if (wrong !== undefined) throw new CommandError(`--state ${wrong}: only runs that have ended are removed: ${ENDED.join(', ')}`);
  await withRuns(options, async (client) => {
    if (chooses || logs) {
      const chosen = chooseRuns(await finishedRuns(client, options), conditions, Date.now());
      await remove(client, chosen, options);
    }
    if (cache) await trimCache(client, options);
  });
}

async function finishedRuns(client: RunsClient, { gateway, largerThan, size }: PruneOptions): Promise<FinishedRun[]> {
  const data = gateway ? undefined : dataDirectory(homeOf());
  if (data === undefined && (largerThan !== undefined || size !== undefined))
    throw new CommandError('sizes of runs are known only where their results are on this machine: leave out --larger-than and --size');
  const sizes = data === undefined ? new Map<string, number>() : await sizesOfRuns(data);
  const found: FinishedRun[] = [];
  let pageToken = '';
  do {
    const page = await client.list({ projectId: '', statuses: ENDED.map(runStatusOf), pageSize: PAGE, pageToken });
    for (const one of page.runs) found.push({ ...finished(one), bytes: sizes.get(one.runId) ?? 0 });
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

function finished({ runId, status, finishedAt, submittedAt }: run.Run): Omit<FinishedRun, 'bytes'> {
  return { runId, state: runWord(status), finishedAtMs: (finishedAt ?? submittedAt)?.getTime() ?? 0 };
}

async function remove(client: RunsClient, chosen: FinishedRun[], { dryRun, logs }: PruneOptions): Promise<void> {
  const what = logs ? 'the whole logs of ' : '';
  if (dryRun) {
    if (chosen.length > 0)
      process.stdout.write(
        table(
          ['RUN', 'STATUS', 'ENDED', 'TAKES'],
          chosen.map((one) => [one.runId, one.state, localTime(new Date(one.finishedAtMs)), humanSize(one.bytes)]),
        ),
      );
    const bytes = chosen.reduce((sum, one) => sum + one.bytes, 0);
    return void process.stdout.write(`would go: ${what}${counted(chosen.length)}${logs ? '' : `, ${humanSize(bytes)} at most`}\n`);
  }
  let [gone, bytes] = [0, 0];
  for (const one of chosen) {
    try {
      await client.remove(one.runId, logs === true);
      gone += 1;
      bytes += one.bytes;
    } catch (error) {
      if (!isServiceError(error)) throw error;
      // Gone meanwhile is what was wanted.
      if (error.code === 'NOT_FOUND') continue;
      process.stderr.write(`weft: ${one.runId}: ${error.message}\n`);
      process.exitCode = 1;
    }
  }
  process.stdout.write(`removed: ${what}${counted(gone)}${logs ? '' : `, ${humanSize(bytes)} at most`}\n`);
}

async function trimCache(client: RunsClient, { dryRun }: PruneOptions): Promise<void> {
  if (dryRun) return void process.stdout.write('would go: all that only the call cache keeps (weft du shows how much)\n');
  const { removed, bytes } = await client.trimCallCache(0);
  process.stdout.write(`removed from the call cache: ${removed} ${removed === 1 ? 'result' : 'results'}, ${humanSize(bytes)}\n`);
}

function counted(runs: number): string {
  return `${runs} ${runs === 1 ? 'run' : 'runs'}`;
}
