/** Plans are loaded once while they are used, and no more of them are kept than there is memory for. */
import type { Plan } from '@weft/plan';
import { DeferredGate } from '@weft/testing';
import { PlanCache } from './plan-cache.js';

const MIB = 1024 * 1024;
const plan = (root: string): Plan => ({ planVersion: 1, cwlVersion: 'v1.2', root, processes: {} });

/** Plans whose root is their hash, as long as their name says: `5 MiB of a`. */
function cache(limits?: { count: number; bytes: number }) {
  const loaded: string[] = [];
  const load = async (hash: string): Promise<Plan | undefined> => {
    loaded.push(hash);
    const [mib = '0'] = hash.split(' ');
    return hash.startsWith('no') ? undefined : plan(hash.padEnd(Number(mib) * MIB));
  };
  return { loaded, plans: new PlanCache(load, limits) };
}

it('loads a plan once, also for those that ask while it is loaded', async () => {
  const { loaded, plans } = cache();
  const [first, second] = await Promise.all([plans.get('a'), plans.get('a')]);
  expect(await plans.get('a')).toBe(first);
  expect(second).toBe(first);
  expect(loaded).toEqual(['a']);
});

it('says that there is none, and looks again', async () => {
  const { loaded, plans } = cache();
  for (let n = 0; n < 2; n += 1) await expect(plans.get('no a')).rejects.toThrow('plan no a is not stored');
  expect(loaded).toHaveLength(2);
});

it('keeps those that were used last, as many as fit', async () => {
  const { loaded, plans } = cache({ count: 10, bytes: 10 * MIB });
  for (const hash of ['4 a', '4 b', '4 a', '4 c', '4 a']) await plans.get(hash);
  expect(loaded).toEqual(['4 a', '4 b', '4 c']);
  await plans.get('4 b');
  expect(loaded).toEqual(['4 a', '4 b', '4 c', '4 b']);
});

it('keeps so many, however small', async () => {
  const { loaded, plans } = cache({ count: 2, bytes: 10 * MIB });
  for (const hash of ['a', 'b', 'c', 'b', 'a']) await plans.get(hash);
  expect(loaded).toEqual(['a', 'b', 'c', 'a']);
});

it('gives one that is too large to be kept to whoever asks', async () => {
  const { loaded, plans } = cache({ count: 10, bytes: 2 * MIB });
  expect((await Promise.all([plans.get('3 a'), plans.get('3 a')])).map(({ root }) => root.length)).toEqual([3 * MIB, 3 * MIB]);
  await plans.get('3 a');
  expect(loaded).toEqual(['3 a', '3 a']);
});

it('gives one that was pushed out while it was loaded', async () => {
  const gate = new DeferredGate();
  const plans = new PlanCache(
    async (hash) => {
      if (hash === 'slow') await gate.pass();
      return plan(hash);
    },
    { count: 1, bytes: MIB },
  );
  const slow = plans.get('slow');
  await gate.reached;
  expect((await plans.get('fast')).root).toBe('fast');
  gate.open();
  expect((await slow).root).toBe('slow');
});

it('tells what loading failed of, and tries again', async () => {
  let fails = true;
  const plans = new PlanCache(async (hash) => {
    if (fails) throw new Error('Redis is away');
    return plan(hash);
  });
  await expect(plans.get('a')).rejects.toThrow('Redis is away');
  fails = false;
  expect((await plans.get('a')).root).toBe('a');
});

it('takes what is known already, and keeps what it has', async () => {
  const { loaded, plans } = cache();
  const [first, second] = [plan('first'), plan('second')];
  plans.remember('a', first);
  plans.remember('a', second);
  expect(await plans.get('a')).toBe(first);
  expect(loaded).toEqual([]);
});
