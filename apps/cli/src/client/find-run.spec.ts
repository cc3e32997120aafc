import { run } from '@weft/contracts';
import { findRun } from './find-run.js';

const IDS = ['r-01m7x7kj49bmrgwm850vhr1gst', 'r-01m7x7kj49bmrgwm850vhr1gsa', 'r-01m7x7je52rnsrb5xtdjd74hjq'];
const client = (ids: string[]) => ({
  list: async ({ pageSize, pageToken }: { pageSize: number; pageToken: string }) => {
    const from = Number(pageToken || 0);
    const runs = ids.slice(from, from + pageSize).map((runId) => run.Run.fromPartial({ runId }));
    return { runs, nextPageToken: from + pageSize < ids.length ? String(from + pageSize) : '' };
  },
});

it.each([
  ['@latest', IDS[0]],
  ['r-01m7x7je', IDS[2]],
  [IDS[1], IDS[1]],
  // A whole id is asked for as it is: it may be in the archive.
  ['r-00000000000000000000000000', 'r-00000000000000000000000000'],
])('%s is a run', async (named = '', id) => expect(await findRun(client(IDS), named)).toBe(id));

it.each([
  ['r-01m7x7kj', IDS, "'r-01m7x7kj' may be any of 2 runs"],
  ['r-99', IDS, "there is no run 'r-99'"],
  ['', IDS, "there is no run ''"],
  ['@latest', [], 'there are no runs'],
])('%s is none', async (named, ids, message) => expect(findRun(client(ids), named)).rejects.toThrow(message));
