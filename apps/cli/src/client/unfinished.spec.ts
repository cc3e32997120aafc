import { run } from '@weft/contracts';
import { areKept, goOn, type Unfinished, unfinishedRuns } from './unfinished.js';

const runs = (count: number, name = '', nextPageToken = ''): Unfinished => ({
  runs: Array.from({ length: count }, (_, n) => run.Run.fromPartial({ runId: `r-${n}`, name })),
  nextPageToken,
});

const escaped = (text: string): string => text.replace(/[()[]/g, '\\$&');

it.each<[Unfinished, string]>([
  [runs(1), '1 unfinished run goes on: r-0'],
  [runs(2, 'align'), '2 unfinished runs go on: r-0 (align), r-1 (align)'],
  [runs(1, 'a\nb\u001b[2J'), '1 unfinished run goes on: r-0 (a␊b␛[2J)'],
  [runs(7), '7 unfinished runs go on: r-0, r-1, r-2, r-3, r-4 and 2 more'],
  [runs(1000), '1000 unfinished runs go on: r-0, r-1, r-2, r-3, r-4 and 995 more'],
  [runs(1, '', 'p2'), '1 or more unfinished runs go on: r-0'],
  [runs(7, '', 'p2'), '7 or more unfinished runs go on: r-0, r-1, r-2, r-3, r-4 and 2 more'],
])('%# runs are told by their ids', (unfinished, text) => {
  expect(goOn(unfinished)).toMatch(new RegExp(`^${escaped(text)}; .weft attach`));
  const kept = text
    .replace('goes on', 'is kept and goes on when a stack starts again')
    .replace('go on', 'are kept and go on when a stack starts again');
  expect(areKept(unfinished)).toMatch(new RegExp(`^${escaped(kept)}; .weft down --cancel. ends (it|them) instead$`));
});

it('asks for what has not ended', async () => {
  const { PENDING, RUNNING, CANCELLING } = run.RunStatus;
  const list = async ({ statuses }: { statuses: run.RunStatus[] }) => ({
    runs: statuses.map((status) => run.Run.fromPartial({ status })),
    nextPageToken: '',
  });
  expect((await unfinishedRuns({ list })).runs.map(({ status }) => status)).toEqual([PENDING, RUNNING, CANCELLING]);
});
