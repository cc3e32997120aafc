/** All oracles, in the order in which they can be asked: what comes to rest, then what is left of it, then what is left of everything. */
import { createRedis } from '@weft/platform';
import type { RunStore } from '@weft/run-store';
import { RETENTION_MS } from '../world.js';
import { notArchived, otherAnswers } from './archived.js';
import { leftContainers, leftProcesses, leftSandboxes, leftTemporaryFiles } from './host.js';
import { losersFiles, wrongLogs } from './logs.js';
import { connections, leftSubscribers, undocumentedKeys } from './redis.js';
import { activeRuns, leftJobs, unhealthy, wrongKeys, wrongLeases } from './services.js';
import { leftFiles } from './storage.js';
import { type Evidence, eventually, type Verdict, verdict } from './verdict.js';

/** How long leftovers may take to go: a job's lock, a sweep. */
const LEFTOVER_LIMIT_MS = 30_000;
/** Opened when they are first needed, and kept: by each scheduler one for results that it waits for, and one for logs that are watched. */
const OPENED_LATER = 4;
/** What could not be archived is tried again after half a minute. */
const ARCHIVE_LIMIT_MS = RETENTION_MS + 40_000;

/** With all services up. `live` is the store without the archive; `atFirst` the connections that Redis had after the undisturbed runs. */
export async function judgeLiving(evidence: Evidence, live: RunStore, atFirst: number): Promise<Verdict[]> {
  const { world, containers, store } = evidence;
  const redis = createRedis(world.redisUrl);
  const soon = (name: string, look: () => Promise<string[]>): Promise<Verdict> => eventually(name, LEFTOVER_LIMIT_MS, look);
  try {
    const rest = await Promise.all([
      soon('services are healthy, runners are registered', () => unhealthy(world)),
      soon('no job is left in a queue', () => leftJobs(world)),
      soon('no run is left active', () => activeRuns(store)),
      soon('leases are held by the living', () => wrongLeases(redis)),
      soon('no container is left', () => leftContainers(containers)),
      soon('no sandbox is left', async () => leftSandboxes(world)),
      soon('no subscriber is left', () => leftSubscribers(redis)),
      eventually('every run is archived', ARCHIVE_LIMIT_MS, () => notArchived(live, evidence)),
    ]);
    const runs = await Promise.all([
      verdict('every task has one result at most', () => wrongLogs(evidence)),
      verdict('an idempotency key is one run, and every run is somebody’s', () => wrongKeys(evidence)),
      verdict('outputs are of attempts whose result was accepted', () => losersFiles(evidence)),
      verdict('archived runs answer as before', () => otherAnswers(evidence)),
    ]);
    const left = await Promise.all([
      soon('no key of a run is left in Redis', () => undocumentedKeys(redis)),
      soon('no connection is left', async () => moreThan(atFirst + OPENED_LATER, await connections(redis))),
      soon('storage has the outputs and nothing else', () => leftFiles(evidence, redis)),
    ]);
    return [...rest, ...runs, ...left];
  } finally {
    redis.disconnect();
  }
}

/** With all services down, and in order. */
export async function judgeDead({ world, containers }: Evidence): Promise<Verdict[]> {
  return Promise.all([
    eventually('no process is left', LEFTOVER_LIMIT_MS, async () => leftProcesses(world.folder)),
    eventually('no temporary file is left', LEFTOVER_LIMIT_MS, async () => leftTemporaryFiles(world)),
    eventually('no container is left after the end', LEFTOVER_LIMIT_MS, () => leftContainers(containers)),
  ]);
}

function moreThan(limit: number, found: number): string[] {
  return found <= limit ? [] : [`${found} connections to Redis; ${limit} are enough`];
}
