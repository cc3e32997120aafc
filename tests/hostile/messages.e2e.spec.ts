/** Item 22 of docs/solid-ground.md: whoever reaches Redis says what is none of ours on every channel, in queues, streams and records of the running stack. */
import { run } from '@weft/contracts';
import { openBoardQueues } from '@weft/queue';
import { aTaskJob, HOSTILE_MESSAGES } from '@weft/testing';
import { Redis } from 'ioredis';
import { describeWithDocker, oneHardenedStack, tool } from './hardened-stack.js';

const MEGABYTES = 'x'.repeat(8 * 1024 ** 2);

describeWithDocker('messages that are none of ours', () => {
  const { hardened } = oneHardenedStack();
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(hardened().redisSocket);
  });
  afterAll(() => redis.quit());

  it('on every channel that anybody listens to', async () => {
    const running = await hardened().submit(tool('sleep 1000'));
    await hardened().runs.untilRunning(running);
    const watching = hardened().runs.end(running);
    const channels = (await redis.pubsub('CHANNELS', '*')) as string[];
    // Nudges of partitions, cancels, news of replicas, of the runner registry, of slots and demand, and of the run that is watched.
    expect(channels.length).toBeGreaterThan(5);
    for (const channel of channels) for (const message of [...HOSTILE_MESSAGES, MEGABYTES]) await redis.publish(channel, message);
    await hardened().neighbourRuns(running);
    await hardened().runs.cancel(running);
    expect((await watching).status).toBe(run.RunStatus.CANCELLED);
  });

  it('in the queue of tasks', async () => {
    const board = openBoardQueues({ path: hardened().redisSocket }, ['default']);
    const { inputs: _inputs, ...without } = aTaskJob();
    // The last ones look right, and name what there is not.
    const jobs: unknown[] = [
      null,
      1,
      'text',
      [],
      {},
      MEGABYTES,
      without,
      { ...aTaskJob(), attempt: '1' },
      aTaskJob({ runId: 'r-made-up' }),
      aTaskJob(),
    ];
    await board.queues[0]?.addBulk(jobs.map((data, n) => ({ name: 'x', data: data as never, opts: { jobId: `hostile-${n}` } })));
    await hardened().neighbourRuns();
    await board.close();
  });

  it('among the records of runners', async () => {
    for (const [n, record] of [...HOSTILE_MESSAGES, MEGABYTES].entries()) {
      await redis.hset('weft:{registry}:runners', `hostile-${n}`, record);
      await redis.hset('weft:{registry}:seen', `hostile-${n}`, '1');
      await redis.zadd('weft:{registry}:lapses', Date.now() + 3_600_000, `hostile-${n}`);
    }
    await redis.publish('weft:{registry}:changed', 'hostile');
    await hardened().neighbourRuns();
    const answer = await hardened().rest('/api/v1/runners');
    expect(answer.status).toBe(200);
    expect(await answer.text()).not.toContain('hostile-');
  });
});
