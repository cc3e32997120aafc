import { isServiceError } from '@weft/platform';
import { Backlog } from './backlog.js';
import type { Limits as AllLimits } from '../admission/limits.js';

type Limits = Pick<AllLimits, 'maxRuns' | 'of'>;

const NONE = { maxTasks: Infinity, maxRuns: Infinity, weight: 1 };
const limits = (maxRuns: number, ofProject = Infinity): Limits => ({ maxRuns, of: () => ({ ...NONE, maxRuns: ofProject }) });

/** A store in memory, and a backlog before it; `submit` says whether the run was taken. */
function service(of: Limits): {
  active: string[];
  counts: () => number;
  passMs: (ms: number) => void;
  submit: (project?: string, fails?: boolean) => Promise<boolean>;
} {
  const active: string[] = [];
  let [nowMs, counts] = [0, 0];
  const backlog = new Backlog({
    limits: of,
    count: async (project) => {
      counts += 1;
      return active.filter((run) => project === undefined || run === project).length;
    },
    nowMs: () => nowMs,
  });
  return {
    active,
    counts: () => counts,
    passMs: (ms) => void (nowMs += ms),
    submit: async (project = 'p', fails = false) => {
      try {
        const admission = await backlog.admit(project);
        if (!fails) active.push(project);
        admission.settle(!fails);
        return true;
      } catch (error) {
        if (!isServiceError(error)) throw error;
        expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining('limit') });
        expect(error.retryAfterMs).toBeGreaterThanOrEqual(1_000);
        return false;
      }
    },
  };
}

it('takes as many runs as the limit says, and goes on when some have ended', async () => {
  const { active, submit, passMs } = service(limits(3));
  for (const expected of [true, true, true, false]) expect(await submit()).toBe(expected);
  active.splice(0, 2);
  passMs(60);
  for (const expected of [true, true, false]) expect(await submit()).toBe(expected);
});

it('never takes more, however many come at the same time', async () => {
  const { active, submit } = service(limits(10));
  const taken = await Promise.all(Array.from({ length: 50 }, () => submit()));
  expect(taken.filter(Boolean)).toHaveLength(10);
  expect(active).toHaveLength(10);
});

it('keeps no room for submissions that come to nothing', async () => {
  const { submit, passMs } = service(limits(1));
  expect(await submit('p', true)).toBe(true);
  expect(await submit()).toBe(true);
  passMs(60);
  expect(await submit()).toBe(false);
});

it('limits a project without holding up another', async () => {
  const { submit } = service({ maxRuns: Infinity, of: (project) => ({ ...NONE, maxRuns: project === 'small' ? 1 : Infinity }) });
  expect([await submit('small'), await submit('small'), await submit('other')]).toEqual([true, false, true]);
});

it('gives back its room of the service where the project has none', async () => {
  const { active, submit, passMs } = service(limits(2, 1));
  expect([await submit('a'), await submit('a'), await submit('b')]).toEqual([true, false, true]);
  active.length = 0;
  passMs(60);
  expect([await submit('c'), await submit('d'), await submit('e')]).toEqual([true, true, false]);
});

it('does not count while there is room, but once a second', async () => {
  const { counts, submit, passMs } = service(limits(1_000));
  for (let n = 0; n < 100; n++) await submit();
  expect(counts()).toBe(1);
  passMs(1_000);
  await submit();
  expect(counts()).toBe(2);
});

it('sees what other replicas took once its count is old', async () => {
  const { active, submit, passMs } = service(limits(5));
  expect(await submit()).toBe(true);
  active.push('p', 'p', 'p', 'p');
  passMs(1_000);
  expect(await submit()).toBe(false);
});

it('without limits nothing is counted', async () => {
  const { counts, submit } = service(limits(Infinity));
  expect(await submit()).toBe(true);
  expect(counts()).toBe(0);
});
