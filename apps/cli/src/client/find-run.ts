/**
 * Runs by what people call them: an id, the beginning of one, a name, `@latest`.
 *
 * Invariants:
 *  1. What fits several runs is refused with what they are: nobody cancels, removes or looks at another run than the one that is meant.
 *  2. `@latest` is the run at the top of `weft ls`, and so none of a project, unless there is no other.
 */
import type { run } from '@weft/contracts';
import { CommandError } from '../errors.js';
import { shownLine } from '../shown-text.js';
import type { RunsClient } from './runs-client.js';

const PAGE = 1000;
/** Runs among which a beginning or a name is looked for: the newest. */
const LOOKED_AT = 10_000;
const WHOLE = /^r-[0-9a-z]{26}$/;
const SHOWN = 4;

type Lists = Pick<RunsClient, 'list'>;

/** @throws CommandError where it is none, or several */
export async function findRun(client: Lists, named: string): Promise<string> {
  if (WHOLE.test(named)) return named;
  if (named === '@latest') return latest(client);
  const found: run.Run[] = [];
  let looked = 0;
  let pageToken = '';
  do {
    const page = await client.list({ projectId: '', statuses: [], pageSize: PAGE, pageToken });
    for (const one of page.runs) if (named !== '' && (one.name === named || one.runId.startsWith(named))) found.push(one);
    looked += page.runs.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && looked < LOOKED_AT);
  const [first] = found;
  if (first === undefined) throw new CommandError(`there is no run '${named}'${among(pageToken)}: weft ls --all lists them`);
  if (found.length === 1) return first.runId;
  const shown = found.slice(0, SHOWN).map(({ runId, name }) => (name === '' || name === named ? runId : `${runId} (${shownLine(name)})`));
  throw new CommandError(`'${named}' may be any of ${found.length} runs: ${shown.join(', ')}${found.length > SHOWN ? ', …' : ''}`);
}

const among = (pageToken: string): string => (pageToken === '' ? '' : ` among the newest ${LOOKED_AT}`);

async function latest(client: Lists): Promise<string> {
  for (const withoutProject of [true, false]) {
    const { runs } = await client.list({ projectId: '', withoutProject, statuses: [], pageSize: 1, pageToken: '' });
    if (runs[0] !== undefined) return runs[0].runId;
  }
  throw new CommandError('there are no runs');
}
