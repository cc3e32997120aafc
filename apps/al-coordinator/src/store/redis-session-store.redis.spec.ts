/** The store's contract on a real Redis, the keys it uses, and the whole coordinator coming back after a restart. */
import { useRedis } from '@weft/testing';
import { startAlCoordinator } from '../app.js';
import { AlConfigSchema } from '../config.js';
import { aCommand, aSession, OUTPUTS } from '../testing/builders.js';
import { FakeScheduler } from '../testing/fake-scheduler.js';
import { startHarness } from '../testing/harness.js';
import { sessionStoreContract } from '../testing/session-store.contract.js';
import { RedisSessionStore } from './redis-session-store.adapter.js';

const redis = useRedis();

describe('RedisSessionStore', () => {
  sessionStoreContract(() => new RedisSessionStore(redis.admin));

  it('puts every key of a project under its hash tag', async () => {
    await new RedisSessionStore(redis.admin).commit({
      session: aSession({ projectId: 'a}b' }),
      commands: [aCommand('start_querying', {}, { projectId: 'a}b' })],
      key: { key: 'k', commandId: 'cmd-start_querying' },
    });
    const keys = (await redis.admin.keys('*')).sort();
    expect(keys.filter((key) => !key.startsWith('weft:{al:a%7Db}:'))).toEqual(['weft:al:projects', 'weft:al:sessions']);
    expect(keys).toHaveLength(8);
  });
});

describe('the coordinator on Redis', () => {
  it('follows after a restart what was running before, and submits nothing twice', async () => {
    const scheduler = new FakeScheduler();
    const address = await scheduler.start();
    const before = await startHarness(new RedisSessionStore(redis.admin), address);
    const { commandId, sessionId } = await before.send('start_querying');
    const queued = await before.send('prompt_training');
    const run = await scheduler.next();
    await before.stored(commandId, (command) => command.runId !== '');
    await before.close();

    const after = await startHarness(new RedisSessionStore(redis.admin), address);
    expect(await after.service.recover()).toBe(1);
    run.succeed(OUTPUTS.query(['3', '4']));
    expect((await after.stored(commandId)).status).toBe('completed');
    const training = await scheduler.next();
    expect(training.inputs['reveal']).toEqual(['3', '4']);
    training.succeed(OUTPUTS.training({ '3': '0', '4': '1' }));
    expect((await after.stored(queued.commandId)).status).toBe('completed');
    expect(scheduler.submissions).toBe(2);
    expect(await after.session(sessionId)).toMatchObject({ round: 1, workflowsExecuted: 2, modelUri: 'file:///data/model.joblib' });
    expect(await after.service.recover()).toBe(0);
    await after.close();
    await scheduler.stop();
  });

  it('starts as a whole from its configuration and closes', async () => {
    const config = AlConfigSchema.parse({
      WEFT_AL_LISTEN: '127.0.0.1:0',
      WEFT_REDIS_URL: redis.server.url,
      WEFT_SCHEDULER_ADDRESS: '127.0.0.1:1',
      WEFT_LOG_LEVEL: 'silent',
    });
    const app = await startAlCoordinator(config);
    expect(app.address).toMatch(/^127\.0\.0\.1:\d+$/);
    await app.close();
    const refused = AlConfigSchema.safeParse({ WEFT_AL_LISTEN: '127.0.0.1:0' });
    expect(refused.error?.issues.map((issue) => issue.path[0])).toEqual(['WEFT_REDIS_URL', 'WEFT_SCHEDULER_ADDRESS']);
  });
});
