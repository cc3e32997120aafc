/**
 * Runs that have not ended, for whoever starts or stops a stack: they are executed again, or wait, and nobody may be surprised by that.
 */
import { run } from '@weft/contracts';
import { shownLine } from '../shown-text.js';
import type { RunsClient } from './runs-client.js';

const ACTIVE = [run.RunStatus.PENDING, run.RunStatus.RUNNING, run.RunStatus.CANCELLING];
const SHOWN = 5;
/** As many as one page holds: of more, only that there are more is told. */
const PAGE = 1000;

export async function unfinishedRuns(runs: Pick<RunsClient, 'list'>): Promise<run.Run[]> {
  return (await runs.list({ projectId: '', statuses: ACTIVE, pageSize: PAGE, pageToken: '' })).runs;
}

/** "2 unfinished runs go on: r-1 (align), r-2; …". */
export function goOn(unfinished: readonly run.Run[]): string {
  const [verb, end] =
    unfinished.length === 1
      ? ['goes on', 'follows it, `weft cancel <run>` ends it']
      : ['go on', 'follows one, `weft cancel <run>` ends it'];
  return `${count(unfinished)} ${verb}: ${named(unfinished)}; \`weft attach <run>\` ${end}`;
}

/** "2 unfinished runs are kept and go on when a stack starts again: r-1 (align), r-2; …". */
export function areKept(unfinished: readonly run.Run[]): string {
  const [verb, whom] = unfinished.length === 1 ? ['is kept and goes on', 'it'] : ['are kept and go on', 'them'];
  return `${count(unfinished)} ${verb} when a stack starts again: ${named(unfinished)}; \`weft down --cancel\` ends ${whom} instead`;
}

function count({ length }: readonly run.Run[]): string {
  return `${length}${length === PAGE ? ' or more' : ''} unfinished run${length === 1 ? '' : 's'}`;
}

function named(runs: readonly run.Run[]): string {
  const shown = runs.slice(0, SHOWN).map(({ runId, name }) => (name === '' ? runId : `${runId} (${shownLine(name)})`));
  const rest = runs.length - shown.length;
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
}
