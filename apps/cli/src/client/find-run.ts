/** Runs by what people call them: an id, the beginning of one, `@latest`. */
import { CommandError } from '../errors.js';
import type { RunsClient } from './runs-client.js';

const PAGE = 1000;
/** Runs among which a beginning is looked for: the newest. */
const LOOKED_AT = 10_000;
const WHOLE = /^r-[0-9a-z]{26}$/;
const SHOWN = 4;

/** @throws CommandError where it is none, or several */
export async function findRun(client: Pick<RunsClient, 'list'>, named: string): Promise<string> {
  if (WHOLE.test(named)) return named;
  const latest = named === '@latest';
  const found: string[] = [];
  let pageToken = '';
  for (let looked = 0; looked < LOOKED_AT; looked += PAGE) {
    const page = await client.list({ projectId: '', statuses: [], pageSize: latest ? 1 : PAGE, pageToken });
    for (const { runId } of page.runs) if (latest || runId === named || runId.startsWith(named)) found.push(runId);
    pageToken = page.nextPageToken;
    if (latest || pageToken === '') break;
  }
  if (found.includes(named)) return named;
  const [first] = found;
  if (first === undefined || named === '')
    throw new CommandError(latest ? 'there are no runs' : `there is no run '${named}': weft ls lists them`);
  if (found.length === 1) return first;
  const more = found.length > SHOWN ? ', …' : '';
  throw new CommandError(`'${named}' may be any of ${found.length} runs: ${found.slice(0, SHOWN).join(', ')}${more}`);
}
