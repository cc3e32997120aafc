/**
 * The simulation itself: a history is replayed exactly, and every property notices what it is there for.
 */
import { aTaskJob } from '@weft/testing';
import { type History, runHistory, type Tampering } from './history.js';
import type { Mix } from './mix.js';
import type { Property } from './monitor.js';

/** A history of a run that succeeds, whatever goes wrong in it. */
const SEED = 2;
const ALL = { without: new Set<string>() };
type Around = Parameters<NonNullable<Tampering['after']>>[0];
const logOf = ({ monitor }: Around): { sequence: number; event: { type: string } }[] => monitor.runOf('r-0')?.log ?? [];
const last = (around: Around): Record<string, unknown> => ({ ...logOf(around).at(-1)?.event });

it.each([1, 2, 3, 1687])('history %i is the same every time', async (seed) => {
  const first: History = await runHistory(seed, ALL);
  expect(await runHistory(seed, ALL)).toEqual(first);
});

it('histories differ', async () => {
  const logs = new Set<string>();
  for (const seed of [1, 2, 3, 4]) logs.add((await runHistory(seed, ALL)).logs);
  expect(logs.size).toBe(4);
});

/** One run to its end, with nothing else in it. */
const plain = (more: Partial<Mix> = {}): Tampering => ({
  mix: (mix) => {
    mix.runs.splice(1);
    Object.assign(mix, { cache: undefined, retentionMs: undefined, projectLimit: undefined, retries: false, ...more });
  },
});

const tamperings: [Property, Tampering][] = [
  ['when faults stop, every run ends', { before: ({ jobs }) => (jobs.put = (): void => undefined) }],
  [
    'outputs are those of an undisturbed run',
    {
      after: (_, runs) => {
        for (const run of runs)
          run.expected = { first: { ...run.expected.first, outputs: {} }, retried: { ...run.expected.retried, outputs: {} } };
      },
    },
  ],
  ['sequence numbers have no gaps', { after: (around) => logOf(around).forEach((entry) => (entry.sequence += 1)) }],
  ['RunEnded is there once per start, and last', { after: (around) => void logOf(around).pop() }],
  [
    'the end follows from the log',
    { after: (around) => Object.assign(logOf(around).at(-1) ?? {}, { event: { ...last(around), outputs: { other: 1 } } }) },
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
    { ...plain({ projectLimit: 1 }), before: ({ slots }) => (slots.project = () => ({ held: new Set(), refused: false })) },
  ],
  ['slots of a project are never more than its limit', { ...plain({ projectLimit: 1 }), after: ({ slots }) => slots.peaks.set('p', 2) }],
  ['a loss is told only where there was one', { after: ({ monitor }) => monitor.lossTold('r-0') }],
  ['nothing is left behind', { after: ({ jobs }) => jobs.put(aTaskJob({ runId: 'r-0', taskId: 'r-0-99' })) }],
  ['finished runs leave the store', { ...plain({ retentionMs: 1_000 }), before: ({ store }) => (store.runs.delete = () => false) }],
  [
    'what is archived reads as before',
    {
      ...plain({ retentionMs: 1_000 }),
      after: ({ archive }) => [...archive.objects.keys()].forEach((name) => archive.objects.delete(name)),
    },
  ],
  [
    'a file is there as long as somebody needs it',
    { after: ({ monitor }) => monitor.checkFiles({ out: { class: 'File', location: 'mem://none', checksum: 'sha1$x' } }, 'nobody') },
  ],
];

it.each(tamperings)('notices: %s', async (property, tampering) => {
  await expect(runHistory(SEED, ALL, { ...plain(), ...tampering })).rejects.toMatchObject({ property });
});
