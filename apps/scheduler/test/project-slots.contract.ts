/** What every implementation of project slots keeps. */
import { Inbox } from '@weft/testing';
import type { ProjectSlots, RunOwner } from '../src/admission/slots/project-slots.js';

export interface SlotsFixture {
  /** Two replicas over the same slots. */
  one: ProjectSlots;
  two: ProjectSlots;
}

const LIMIT = 3;
const owner = (runId: string, token = 1, project = 'p'): RunOwner => ({ project, runId, token });
const ids = (runId: string, ...numbers: number[]): string[] => numbers.map((n) => `${runId}-${n}`);

export function projectSlotsContract(get: () => SlotsFixture): void {
  it('gives as many as the limit says, to all replicas together, in the order they were asked for', async () => {
    const { one, two } = get();
    expect(await one.acquire(owner('r1'), LIMIT, ids('r1', 1, 2))).toBe(2);
    expect(await two.acquire(owner('r2'), LIMIT, ids('r2', 1, 2))).toBe(1);
    expect(await two.acquire(owner('r3', 1, 'other'), LIMIT, ids('r3', 1, 2))).toBe(2);
    expect(await one.claim(owner('r2'))).toEqual(['r2-1']);
  });

  it('gives the same slot again to the same task', async () => {
    const { one } = get();
    await one.acquire(owner('r1'), LIMIT, ids('r1', 1, 2, 3));
    expect(await one.acquire(owner('r1'), LIMIT, ids('r1', 1, 2, 3, 4))).toBe(3);
  });

  it('takes slots back, as often as it is asked to', async () => {
    const { one } = get();
    await one.acquire(owner('r1'), LIMIT, ids('r1', 1, 2, 3));
    await one.release(owner('r1'), ids('r1', 2));
    await one.release(owner('r1'), ids('r1', 2, 9));
    expect(await one.acquire(owner('r1'), LIMIT, ids('r1', 4, 5))).toBe(1);
    expect((await one.claim(owner('r1'))).sort()).toEqual(ids('r1', 1, 3, 4));
  });

  it('hands the slots of a run over to its next owner, and fences the one before', async () => {
    const { one, two } = get();
    await one.acquire(owner('r1', 1), LIMIT, ids('r1', 1, 2));
    expect((await two.claim(owner('r1', 2))).sort()).toEqual(ids('r1', 1, 2));
    expect(await one.acquire(owner('r1', 1), LIMIT, ids('r1', 3))).toBe('fenced');
    await one.release(owner('r1', 1), ids('r1', 1));
    await one.end(owner('r1', 1));
    expect(await one.claim(owner('r1', 1))).toEqual([]);
    expect((await two.claim(owner('r1', 2))).sort()).toEqual(ids('r1', 1, 2));
  });

  it('takes everything back when a run ends; of an owner before, nothing is taken after', async () => {
    const { one, two } = get();
    await one.acquire(owner('r1', 2), LIMIT, ids('r1', 1, 2));
    await one.acquire(owner('r11', 1), LIMIT, ids('r11', 1));
    await one.end(owner('r1', 2));
    expect(await two.acquire(owner('r1', 1), LIMIT, ids('r1', 7))).toBe('fenced');
    expect(await two.acquire(owner('r2'), LIMIT, ids('r2', 1, 2, 3))).toBe(2);
    expect(await one.claim(owner('r11', 1))).toEqual(['r11-1']);
    expect(await two.acquire(owner('r1', 2), LIMIT, ids('r1', 1))).toBe(0);
  });

  it('tells all replicas when a slot comes free that somebody was refused, and only then', async () => {
    const { one, two } = get();
    const told = new Inbox<string | undefined>();
    await one.watch((project) => told.push(project));
    await one.acquire(owner('r1'), LIMIT, ids('r1', 1, 2, 3));
    await two.release(owner('r1'), ids('r1', 1));
    expect(await two.acquire(owner('r2'), LIMIT, ids('r2', 1, 2))).toBe(1);
    await one.release(owner('r1'), ids('r1', 2));
    expect(await told.atLeast(1)).toEqual(['p']);
    expect(await two.acquire(owner('r2'), LIMIT, ids('r2', 2, 3))).toBe(1);
    await one.end(owner('r1'));
    expect(await told.atLeast(2)).toEqual(['p', 'p']);
  });
}
