/** The services and what they hold for each other: registrations, partitions, runs under way, jobs. */
import { redisConnection } from '@weft/platform';
import { createBullTaskQueue, discoverPools } from '@weft/queue';
import { createRedisRunnerRegistry } from '@weft/registry';
import { PARTITIONS, type RunStore } from '@weft/run-store';
import type { Redis } from 'ioredis';
import { PROJECTS } from '../schedule.js';
import { type World, LEASE_TTL_MS } from '../world.js';
import { type Evidence, repeated } from './verdict.js';

export async function unhealthy(world: World): Promise<string[]> {
  const problems = Object.values(world.services)
    .filter((service) => !service.isServing)
    .map(({ spec }) => `${spec.name} does not serve`);
  for (const { rest } of world.gateways) {
    const text = await fetch(`${rest}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
      async (response) => (response.status === 200 ? '' : `${response.status} ${await response.text()}`),
      (error: Error) => error.message,
    );
    if (text !== '') problems.push(`${rest}/readyz: ${text}`);
  }
  const registry = createRedisRunnerRegistry({ redis: redisConnection(world.redisUrl) });
  const runners = await registry.list();
  await registry.close();
  const registered = runners.map(({ runnerId }) => runnerId).sort();
  if (registered.join() !== [...world.runnerIds].sort().join()) problems.push(`registered runners: ${registered.join(', ') || 'none'}`);
  return [...problems, ...runners.filter(({ draining }) => draining).map(({ runnerId }) => `${runnerId} is still drained`)];
}

/** An idempotency key is one run, and every run was told to somebody. */
export async function wrongKeys({ client, acknowledged }: Evidence): Promise<string[]> {
  const runs = (await Promise.all(PROJECTS.map((project) => client.list(project)))).flat();
  const ids = new Map(acknowledged.map(({ runId, key }) => [runId, key]));
  const listed = new Map(runs.map(({ run_id: runId, name }) => [runId, name]));
  return [
    ...repeated(runs.map(({ name }) => name)).map((key) => `key ${key} has several runs`),
    ...runs.filter(({ run_id: runId }) => !ids.has(runId)).map(({ run_id: runId, name }) => `run ${runId} (${name}) was told to nobody`),
    ...[...ids].filter(([runId, key]) => listed.get(runId) !== key).map(([runId, key]) => `run ${runId} of key ${key} is in no list`),
  ];
}

export async function leftJobs(world: World): Promise<string[]> {
  const connection = redisConnection(world.redisUrl);
  const queue = createBullTaskQueue({ connection });
  try {
    const pools = await discoverPools(connection);
    const depths = await Promise.all(pools.map(async (pool) => ({ pool, ...(await queue.depth(pool)) })));
    return depths.flatMap(({ pool, ...depth }) =>
      Object.entries(depth)
        .filter(([, count]) => count > 0)
        .map(([state, count]) => `pool ${pool}: ${count} ${state}`),
    );
  } finally {
    await queue.close();
  }
}

export async function activeRuns(store: RunStore): Promise<string[]> {
  const sets = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => store.log.active(partition)));
  return sets.flat().map((runId) => `run ${runId} is still active`);
}

/** Every partition is held, by no more owners than there are schedulers. */
export async function wrongLeases(redis: Redis): Promise<string[]> {
  const [seconds] = await redis.time();
  const names = Array.from({ length: PARTITIONS }, (_, i) => `weft:{p${String(i).padStart(2, '0')}}:lease`);
  const held = await Promise.all(names.map((name) => redis.hmget(name, 'owner', 'expires')));
  const live = held.filter(([, expires]) => Number(expires ?? 0) > Number(seconds) * 1000);
  const owners = new Set(live.map(([owner]) => owner));
  return [
    ...(live.length === PARTITIONS ? [] : [`${PARTITIONS - live.length} partitions are held by nobody for ${LEASE_TTL_MS} ms`]),
    ...(owners.size <= 2 ? [] : [`${owners.size} owners: ${[...owners].join(', ')}`]),
  ];
}
