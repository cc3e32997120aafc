/**
 * The simulation itself: a history is replayed exactly, and every property notices what it is there for.
 */
import { aTaskJob } from '@weft/testing';
import { type History, runHistory, type Tampering } from './history.js';
import type { Property } from './monitor.js';

/** A history of a run that succeeds, whatever goes wrong in it. */
const SEED = 1;
const ALL = { without: new Set<string>() };
const logOf = (around: Parameters<NonNullable<Tampering['after']>>[0]): { sequence: number; event: { type: string } }[] =>
  around.store.runs.get('r-0')?.log ?? [];

it.each([1, 2, 3, 1687])('history %i is the same every time', async (seed) => {
  const first: History = await runHistory(seed, ALL);
  expect(await runHistory(seed, ALL)).toEqual(first);
});

it('histories differ', async () => {
  const logs = new Set<string>();
  for (const seed of [1, 2, 3, 4]) logs.add((await runHistory(seed, ALL)).logs);
  expect(logs.size).toBe(4);
});

const tamperings: [Property, Tampering][] = [
  ['when faults stop, every run ends', { before: ({ jobs }) => (jobs.put = (): void => undefined) }],
  [
    'outputs are those of an undisturbed run',
    { after: (_, runs) => runs.forEach((run) => (run.expected = { status: 'succeeded', outputs: {} })) },
  ],
  ['sequence numbers have no gaps', { after: (around) => logOf(around).forEach((entry) => (entry.sequence += 1)) }],
  ['RunEnded is there exactly once, and last', { after: (around) => void logOf(around).pop() }],
  [
    'the end follows from the log',
    { after: (around) => Object.assign(logOf(around).at(-1) ?? {}, { event: { ...logOf(around).at(-1)?.event, outputs: { other: 1 } } }) },
  ],
  [
    'no append by a fenced owner',
    {
      after: ({ monitor, store }) => {
        const [partition = 0] = store.partitions;
        monitor.leased([{ partition, owner: 'new', token: 1_000 }]);
        monitor.appended({ partition, owner: 'old', token: 999 }, 'r-0', true);
      },
    },
  ],
  [
    'no command is acted on before its cause is in the log',
    { after: ({ monitor }) => monitor.jobsAdded([aTaskJob({ runId: 'r-0', taskId: 'r-0-99' })]) },
  ],
  [
    'a task of a limited project is added only with a slot',
    {
      before: (around) => {
        around.projectLimit = 1;
        around.slots.project = () => ({ held: new Set(), refused: false });
      },
    },
  ],
  ['nothing is left behind', { after: ({ jobs }) => jobs.put(aTaskJob({ runId: 'r-0', taskId: 'r-0-99' })) }],
];

it.each(tamperings)('notices: %s', async (property, tampering) => {
  await expect(runHistory(SEED, ALL, tampering)).rejects.toMatchObject({ property });
});
