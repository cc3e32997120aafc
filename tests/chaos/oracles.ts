/**
 * What must hold once the storm is over. Each oracle has a name and a list of what it found; an empty list is a pass.
 *
 * Invariant: leftovers may take a moment to go, and nothing tells from outside when they are gone: they are looked for until they are, within
 * a limit. Everything else is judged at once.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createRedis, redisConnection } from '@weft/platform';
import { createBullTaskQueue, discoverPools } from '@weft/queue';
import { createRedisRunnerRegistry } from '@weft/registry';
import { type EngineEvent, decide, initialState } from '@weft/engine';
import type { CwlObject, Plan } from '@weft/plan';
import { type LogEntry, PARTITIONS, type RunStore } from '@weft/run-store';
import type { ChaosClient } from './client.js';
import type { Containers } from './containers.js';
import { PROJECT, type Acknowledged } from './load.js';
import { type World, LEASE_TTL_MS } from './world.js';

/** How long leftovers may take to go: a job's lock, a sweep. */
const LEFTOVER_LIMIT_MS = 30_000;
const LOOK_AGAIN_MS = 250;

export interface Verdict {
  name: string;
  problems: string[];
}

export interface Evidence {
  world: World;
  store: RunStore;
  client: ChaosClient;
  containers: Containers | undefined;
  acknowledged: readonly Acknowledged[];
}

/** With all services up. */
export async function judgeLiving(evidence: Evidence): Promise<Verdict[]> {
  const { world, containers } = evidence;
  return Promise.all([
    verdict('every task has one result at most', () => acceptedTwice(evidence)),
    verdict('an idempotency key is one run, and every run is somebody’s', () => keys(evidence)),
    eventually('services are healthy, runners are registered', () => unhealthy(world)),
    eventually('no job is left in a queue', () => jobs(world)),
    eventually('no run is left active', () => active(evidence.store)),
    eventually('leases are held by the living', () => leases(world)),
    eventually('no container is left', () => leftContainers(containers)),
    verdict('outputs are of attempts whose result was accepted', () => losersFiles(evidence)),
    eventually('no sandbox is left', async () => leftSandboxes(world)),
  ]);
}

/** With all services down, and in order. */
export async function judgeDead({ world, containers }: Evidence): Promise<Verdict[]> {
  return Promise.all([
    eventually('no process is left', async () => leftProcesses(world.folder)),
    eventually('no container is left after the end', () => leftContainers(containers)),
  ]);
}

async function verdict(name: string, look: () => Promise<string[]>): Promise<Verdict> {
  return { name, problems: await look() };
}

async function eventually(name: string, look: () => Promise<string[]>): Promise<Verdict> {
  const deadline = Date.now() + LEFTOVER_LIMIT_MS;
  for (;;) {
    const problems = await look();
    if (problems.length === 0 || Date.now() > deadline) return { name, problems };
    await delay(LOOK_AGAIN_MS);
  }
}

/**
 * The logs, read by the engine: a task gets one result, a run one end. An answer that comes when another is known may be in the log as well; the
 * engine does not take it.
 */
async function acceptedTwice({ store, acknowledged }: Evidence): Promise<string[]> {
  const problems: string[] = [];
  for (const { runId } of acknowledged) {
    const found = await replayable(store, runId);
    problems.push(...(found === undefined ? [`run ${runId} has no plan`] : twiceIn(runId, found.plan, found.entries)));
  }
  return problems;
}

/** What an attempt published whose result was not accepted may lie about until its run leaves the store, but nobody is led to it. */
async function losersFiles({ world, store, acknowledged }: Evidence): Promise<string[]> {
  const won = new Set<string>();
  const shown: string[] = [];
  for (const { runId } of acknowledged) {
    const found = await replayable(store, runId);
    if (found === undefined) continue;
    const state = initialState(found.plan);
    for (const { event, atMs } of found.entries) decide(state, event as unknown as EngineEvent, atMs);
    for (const { taskId, attempt, status } of state.tasks.values()) if (status === 'succeeded') won.add(`${taskId}.${attempt}`);
    shown.push(...publishedIn(JSON.stringify(found.outputs ?? null), world.data));
  }
  return [...new Set(shown)]
    .filter((folder) => !won.has(folder))
    .map((folder) => `outputs lie in ${folder}, whose result was not accepted`);
}

/** Names of the attempts' folders below the data directory that a text leads to. */
export function publishedIn(text: string, data: string): string[] {
  const [, ...after] = text.split(`file://${data}/runs/`);
  return after.map((rest) => rest.split(/[/"]/)[1] ?? '');
}

async function replayable(
  store: RunStore,
  runId: string,
): Promise<{ plan: Plan; entries: LogEntry[]; outputs: CwlObject | undefined } | undefined> {
  const header = await store.reader.get(runId);
  const plan = header && (await store.log.getPlan(header.planHash));
  return plan && { plan, entries: await store.reader.read(runId, 0), outputs: header.outputs };
}

export function twiceIn(runId: string, plan: Plan, entries: readonly LogEntry[]): string[] {
  const state = initialState(plan);
  const results: string[] = [];
  for (const { event, atMs } of entries) {
    const taskId = String((event as { taskId?: unknown }).taskId ?? '');
    const before = state.tasks.get(taskId)?.status;
    decide(state, event as unknown as EngineEvent, atMs);
    const after = state.tasks.get(taskId)?.status;
    if (event.type === 'TaskSucceeded' && after === 'succeeded' && before !== after) results.push(taskId);
  }
  const succeeded = [...state.tasks.values()].filter(({ status, cached }) => status === 'succeeded' && cached !== true);
  const without = succeeded.filter(({ taskId }) => !results.includes(taskId) && isExecuted(taskId, entries));
  const ends = entries.filter(({ event }) => event.type === 'RunEnded').length;
  const gaps = entries.filter(({ sequence }, i) => sequence !== i + 1).length;
  return [
    ...repeated(results).map((task) => `run ${runId}: the result of task ${task} was accepted twice`),
    ...without.map(({ taskId }) => `run ${runId}: task ${taskId} succeeded by nothing in the log`),
    ...(ends === 1 ? [] : [`run ${runId}: its log has ${ends} ends`]),
    ...(gaps === 0 ? [] : [`run ${runId}: its log has gaps`]),
  ];
}

/** Expression tools are evaluated, not executed: their results come by other events. */
function isExecuted(taskId: string, entries: readonly LogEntry[]): boolean {
  return entries.some(({ event }) => event.type === 'TaskStarted' && event['taskId'] === taskId);
}

function repeated(items: readonly string[]): string[] {
  return [...new Set(items.filter((item, i) => items.indexOf(item) !== i))];
}

async function keys({ client, acknowledged }: Evidence): Promise<string[]> {
  const runs = await client.list(PROJECT);
  const ids = new Map(acknowledged.map(({ runId, key }) => [runId, key]));
  const listed = new Map(runs.map(({ run_id: runId, name }) => [runId, name]));
  return [
    ...repeated(runs.map(({ name }) => name)).map((key) => `key ${key} has several runs`),
    ...runs.filter(({ run_id: runId }) => !ids.has(runId)).map(({ run_id: runId, name }) => `run ${runId} (${name}) was told to nobody`),
    ...[...ids].filter(([runId, key]) => listed.get(runId) !== key).map(([runId, key]) => `run ${runId} of key ${key} is in no list`),
  ];
}

async function unhealthy(world: World): Promise<string[]> {
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
  const registered = (await registry.list()).map(({ runnerId }) => runnerId).sort();
  await registry.close();
  if (registered.join() !== [...world.runnerIds].sort().join()) problems.push(`registered runners: ${registered.join(', ') || 'none'}`);
  return problems;
}

async function jobs(world: World): Promise<string[]> {
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

async function active(store: RunStore): Promise<string[]> {
  const sets = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => store.log.active(partition)));
  return sets.flat().map((runId) => `run ${runId} is still active`);
}

/** Every partition is held, by no more owners than there are schedulers. */
async function leases(world: World): Promise<string[]> {
  const redis = createRedis(world.redisUrl);
  try {
    const [seconds] = await redis.time();
    const names = Array.from({ length: PARTITIONS }, (_, i) => `weft:{p${String(i).padStart(2, '0')}}:lease`);
    const held = await Promise.all(names.map((name) => redis.hmget(name, 'owner', 'expires')));
    const live = held.filter(([, expires]) => Number(expires ?? 0) > Number(seconds) * 1000);
    const owners = new Set(live.map(([owner]) => owner));
    return [
      ...(live.length === PARTITIONS ? [] : [`${PARTITIONS - live.length} partitions are held by nobody for ${LEASE_TTL_MS} ms`]),
      ...(owners.size <= 2 ? [] : [`${owners.size} owners: ${[...owners].join(', ')}`]),
    ];
  } finally {
    redis.disconnect();
  }
}

async function leftContainers(containers: Containers | undefined): Promise<string[]> {
  return ((await containers?.all()) ?? []).map(({ id, state, task }) => `container ${id.slice(0, 12)} of ${task} (${state})`);
}

function leftSandboxes(world: World): string[] {
  return world.sandboxes.flatMap((root) =>
    readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => `${root}/${name}`),
  );
}

/** Processes whose environment, command line or working directory names our folder. */
export function leftProcesses(folder: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const cmdline = readProc(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    const environ = readProc(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    const cwd = readProc(() => readlinkSync(`/proc/${pid}/cwd`));
    if ([cmdline, environ, cwd].some((text) => text.includes(folder))) found.push(`${pid} ${cmdline.replaceAll('\0', ' ').trim()}`);
  }
  return found;
}

/** Processes come and go, and some are not ours to look at. */
function readProc(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
