/**
 * Runs that have not ended, for whoever starts or stops a stack: they are executed again, or wait, and nobody may be surprised by that.
 */
import { run } from '@weft/contracts';
import { shownLine } from '../shown-text.js';
import type { RunsClient } from './runs-client.js';

const ACTIVE = [run.RunStatus.PENDING, run.RunStatus.RUNNING, run.RunStatus.CANCELLING];
const SHOWN = 5;
const PAGE = 1000;

/** A page of them. Of pages that follow only that there are more is told. */
export interface Unfinished {
  runs: readonly run.Run[];
  /** Empty: no page follows. A page ends where its answer would be too large, too, not only at its number of runs. */
  nextPageToken: string;
}

export async function unfinishedRuns(runs: Pick<RunsClient, 'list'>, pageToken = ''): Promise<Unfinished> {
  return runs.list({ projectId: '', statuses: ACTIVE, pageSize: PAGE, pageToken });
}

/** "2 unfinished runs go on: r-1 (align), r-2; …". */
export function goOn(unfinished: Unfinished): string {
  const [verb, end] = isOne(unfinished)
    ? ['goes on', 'follows it, `weft cancel <run>` ends it']
    : ['go on', 'follows one, `weft cancel <run>` ends it'];
  return `${count(unfinished)} ${verb}: ${namesOf(unfinished.runs)}; \`weft attach <run>\` ${end}`;
}

/** "2 unfinished runs are kept and go on when a stack starts again: r-1 (align), r-2; …". */
export function areKept(unfinished: Unfinished): string {
  const [verb, whom] = isOne(unfinished) ? ['is kept and goes on', 'it'] : ['are kept and go on', 'them'];
  return `${count(unfinished)} ${verb} when a stack starts again: ${namesOf(unfinished.runs)}; \`weft down --cancel\` ends ${whom} instead`;
}

const isOne = ({ runs, nextPageToken }: Unfinished): boolean => runs.length === 1 && nextPageToken === '';

function count(unfinished: Unfinished): string {
  const more = unfinished.nextPageToken === '' ? '' : ' or more';
  return `${unfinished.runs.length}${more} unfinished run${isOne(unfinished) ? '' : 's'}`;
}

/** "r-1 (align), r-2 and 3 more". */
export function namesOf(runs: readonly run.Run[]): string {
  const shown = runs.slice(0, SHOWN).map(({ runId, name }) => (name === '' ? runId : `${runId} (${shownLine(name)})`));
  const rest = runs.length - shown.length;
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
}
