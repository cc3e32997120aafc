/** The contract of project slots, on the fake and on Redis. */
import { redisConnection } from '@weft/platform';
import { useRedis } from '@weft/testing';
import { createFakeProjectSlots, FakeSlotsData } from '../../../test/fake-project-slots.js';
import { projectSlotsContract, type SlotsFixture } from '../../../test/project-slots.contract.js';
import { createRedisProjectSlots } from './redis-project-slots.adapter.js';

describe('in memory', () => {
  let fixture: SlotsFixture;
  beforeEach(() => {
    const data = new FakeSlotsData();
    fixture = { one: createFakeProjectSlots(data), two: createFakeProjectSlots(data) };
  });
  projectSlotsContract(() => fixture);
});

describe('on Redis', () => {
  const redis = useRedis();
  let fixture: SlotsFixture;
  beforeEach(async () => {
    const one = (): ReturnType<typeof createRedisProjectSlots> => createRedisProjectSlots({ redis: redisConnection(redis.server.url) });
    fixture = { one: one(), two: one() };
  });
  afterEach(() => Promise.all([fixture.one.close(), fixture.two.close()]));
  projectSlotsContract(() => fixture);

  it('keeps all keys of a project under one hash tag, and an ended run’s token for a while only', async () => {
    const owner = { project: 'a/b', runId: 'r1', token: 1 };
    await fixture.one.acquire(owner, 1, ['r1-1', 'r1-2']);
    expect((await redis.admin.keys('*')).every((key) => key.startsWith('weft:{slots:a%2Fb}'))).toBe(true);
    await fixture.one.end(owner);
    const [left, ...others] = await redis.admin.keys('*');
    expect(others).toEqual([]);
    const token = left as string;
    expect(await redis.admin.ttl(token)).toBeGreaterThan(0);
    await fixture.one.release(owner, ['r1-1']);
    expect(await redis.admin.ttl(token)).toBeGreaterThan(0);
    // It is retried.
    await fixture.one.acquire(owner, 1, ['r1-1']);
    expect(await redis.admin.ttl(token)).toBe(-1);
  });
});
