import { run } from '@weft/contracts';
import type { RunFilter } from './runs-client.js';
import { findRun } from './find-run.js';

const [A, B, C, D] = [
  'r-01m7x7kj49bmrgwm850vhr1gst',
  'r-01m7x7kj49bmrgwm850vhr1gsa',
  'r-01m7x7je52rnsrb5xtdjd74hjq',
  'r-01m7x7je52rnsrb5xtdjd74hjz',
] as const;
const RUNS = [
  { runId: A, name: 'train', projectId: 'al' },
  { runId: B, name: 'align' },
  { runId: C, name: 'sort' },
  { runId: D, name: 'align' },
].map((one) => run.Run.fromPartial(one));

const client = (runs: run.Run[]) => ({
  list: async ({ pageSize, pageToken, withoutProject }: RunFilter) => {
    const from = Number(pageToken || 0);
    const all = runs.filter(({ projectId }) => !withoutProject || projectId === '');
    return { runs: all.slice(from, from + pageSize), nextPageToken: from + pageSize < all.length ? String(from + pageSize) : '' };
  },
});

it.each([
  // The one at the top of `weft ls`.
  ['@latest', RUNS, B],
  ['@latest', RUNS.slice(0, 1), A],
  ['r-01m7x7kj49bmrgwm850vhr1gst', RUNS, A],
  ['r-01m7x7je52rnsrb5xtdjd74hjq', RUNS, C],
  ['r-01m7x7kj49bmrgwm850vhr1gsa', RUNS, B],
  ['sort', RUNS, C],
  ['train', RUNS, A],
  // A whole id is asked for as it is: it may be in the archive.
  ['r-00000000000000000000000000', RUNS, 'r-00000000000000000000000000'],
])('%s is a run', async (named, runs, id) => expect(await findRun(client(runs), named)).toBe(id));

it.each([
  ['r-01m7x7kj', RUNS, `'r-01m7x7kj' may be any of 2 runs: ${A} (train), ${B} (align)`],
  ['align', RUNS, `'align' may be any of 2 runs: ${B}, ${D}`],
  ['r-99', RUNS, "there is no run 'r-99'"],
  ['sor', RUNS, "there is no run 'sor'"],
  ['', RUNS, "there is no run ''"],
  ['@latest', [], 'there are no runs'],
])('%s is none', async (named, runs, message) => expect(findRun(client(runs), named)).rejects.toThrow(message));

it('is looked for among more runs than a page has', async () => {
  const newer = Array.from({ length: 1500 }, (_, n) => run.Run.fromPartial({ runId: `r-02${String(n).padStart(24, '0')}`, name: 'other' }));
  expect(await findRun(client([...newer, ...RUNS]), 'sort')).toBe(C);
});

it('what begins as an id and is a name too is refused', async () => {
  const both = [...RUNS, run.Run.fromPartial({ runId: 'r-09zzzzzzzzzzzzzzzzzzzzzzzz', name: 'r-01m7x7je52rnsrb5xtdjd74hjq9' })];
  await expect(
    findRun(client([...both, run.Run.fromPartial({ runId: 'r-08zzzzzzzzzzzzzzzzzzzzzzzz', name: 'r-09' })]), 'r-09'),
  ).rejects.toThrow('2 runs');
});
