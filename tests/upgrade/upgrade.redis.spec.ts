/**
 * Runs that an earlier version of weft began, and was killed in the middle of, end under this one: with a scheduler and a runner of this build over
 * what Redis held then.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run as runPb, scheduler as schedulerPb } from '@weft/contracts';
import { callServerStream, callUnary, createClient } from '@weft/platform';
import { startRedis, type TestRedis } from '@weft/testing';
import { Redis } from 'ioredis';
import { type RunningScheduler, startScheduler } from '../../apps/scheduler/src/app.js';
import { schedulerConfigSchema } from '../../apps/scheduler/src/wiring/config.js';
import { startStepRunner, type StepRunner } from '../../apps/step-runner/src/app.js';
import { configSchema as runnerConfigSchema } from '../../apps/step-runner/src/config.js';
import { RUNS } from './runs.js';
import { restoreRedis } from './snapshot.js';

const SNAPSHOTS = join(import.meta.dirname, 'snapshots');

describe.each(readdirSync(SNAPSHOTS).sort())('what lay in Redis when %s was taken', (file) => {
  let home: string;
  let redis: TestRedis;
  let scheduler: RunningScheduler;
  let runner: StepRunner;
  let client: schedulerPb.SchedulerClient;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'weft-upgrade-'));
    redis = await startRedis();
    const admin = new Redis(redis.connection);
    await restoreRedis(admin, readFileSync(join(SNAPSHOTS, file)));
    for (const key of await admin.keys('*:header')) {
      const { name, runId } = JSON.parse((await admin.hget(key, 'json')) ?? '') as { name: string; runId: string };
      ids.set(name, runId);
    }
    await admin.quit();
    const env = {
      ...{ WEFT_HOME: home, WEFT_LOG_LEVEL: 'silent', WEFT_SERVICE_SECRET: 'between services' },
      ...{ WEFT_REDIS_URL: redis.url, WEFT_SCHEDULER_LISTEN: `unix:${join(home, 's')}`, WEFT_SCHEDULER_ADDRESS: `unix:${join(home, 's')}` },
      ...{ WEFT_RUNNER_LISTEN: `unix:${join(home, 'r')}`, WEFT_RUNNER_ID: 'local', WEFT_RUNTIMES: 'process', WEFT_RUNNER_CORES: '4' },
    };
    scheduler = await startScheduler(schedulerConfigSchema.parse(env));
    runner = await startStepRunner(runnerConfigSchema.parse(env));
    client = createClient(schedulerPb.SchedulerClient, env.WEFT_SCHEDULER_LISTEN, env.WEFT_SERVICE_SECRET);
  });

  afterAll(async () => {
    client.close();
    await runner.close();
    await scheduler.close();
    await redis.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('holds the runs that are known', () => {
    expect([...ids.keys()].sort()).toEqual(Object.keys(RUNS).sort());
  });

  it.each(Object.entries(RUNS))('%s', async (name, { ended, end, outputs }) => {
    const runId = ids.get(name) ?? '';
    if (ended) await callUnary(client, client.retryRun, { runId });
    const last: Partial<runPb.RunStatusChanged> = {};
    for await (const { event } of callServerStream(client.watchRun.bind(client), { runId, afterSequence: 0 })) {
      if (event?.$case === 'runStatus') Object.assign(last, event.value);
    }
    expect({ name, status: runPb.RunStatus[last.status ?? 0] }).toEqual({ name, status: end });
    if (outputs) expect(JSON.parse(last.outputsJson ?? '')).toEqual(outputs);
  });
});
