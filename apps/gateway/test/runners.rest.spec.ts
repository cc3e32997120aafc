/** Runners over REST, on a real port. */
import { createHash } from 'node:crypto';
import { ApiTokens } from '../src/config/tokens.js';
import { RunnerList } from '../src/runners/runners.schemas.js';
import { call, startHarness, type Answer, type Harness } from './harness.js';

describe('/api/v1/runners', () => {
  let harness: Harness;
  const api = (method: string, path: string): Promise<Answer> => call(harness.url, method, `/api/v1/runners${path}`);

  beforeAll(async () => {
    harness = await startHarness();
    harness.scheduler.registry.add('a', 'default');
    harness.scheduler.registry.add('b', 'gpu');
  });
  afterAll(() => harness.stop());

  it('lists what they have and what is held, as documented', async () => {
    const { status, body } = await api('GET', '');
    expect(status).toBe(200);
    const { runners } = RunnerList.parse(body);
    expect(runners.map(({ runner_id, pool }) => [runner_id, pool])).toEqual([
      ['a', 'default'],
      ['b', 'gpu'],
    ]);
    expect(runners[0]).toMatchObject({
      address: 'a:5007',
      capacity: { cores: 8, ram_bytes: 2 ** 33, disk_bytes: 2 ** 40, gpus: 1 },
      in_use: { cores: 1.5, ram_bytes: 2 ** 30, disk_bytes: 0, gpus: 1 },
      tasks: { admitted: 2, waiting: 1 },
      labels: { rack: 'r1' },
      draining: false,
      last_seen: '2026-01-31T12:00:00.000Z',
    });
  });

  it('lists those of a pool, and refuses a question that it does not know', async () => {
    expect(RunnerList.parse((await api('GET', '?pool=gpu')).body).runners.map(({ runner_id }) => runner_id)).toEqual(['b']);
    expect(await api('GET', '?pol=gpu')).toMatchObject({ status: 400, body: { error: expect.stringContaining("did you mean 'pool'") } });
  });

  it('drains and takes that back, and says which runner it does not know', async () => {
    expect((await api('POST', '/a/drain')).status).toBe(204);
    expect(harness.scheduler.registry.runners.map(({ draining }) => draining)).toEqual([true, false]);
    expect((await api('POST', '/a/undrain')).status).toBe(204);
    expect(harness.scheduler.registry.runners.map(({ draining }) => draining)).toEqual([false, false]);
    expect(await api('POST', '/c/drain')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', error: "there is no runner 'c'" } });
  });
});

it('runners are nobody’s business who has no token where tokens are configured', async () => {
  const hash = createHash('sha256').update('secret').digest('hex');
  const harness = await startHarness({ tokens: ApiTokens.parse(`${hash} ops`, 'tokens') });
  const drain = (headers: Record<string, string>): Promise<Answer> =>
    call(harness.url, 'POST', '/api/v1/runners/a/drain', undefined, headers);
  harness.scheduler.registry.add('a', 'default');
  expect((await drain({})).status).toBe(401);
  expect(harness.scheduler.registry.runners[0]?.draining).toBe(false);
  expect((await drain({ authorization: 'Bearer secret' })).status).toBe(204);
  await harness.stop();
});
