/**
 * Entry of `npm run record-upgrade`: runs the build of this checkout, kills it in the middle of the runs of runs.ts, and keeps what Redis holds.
 * A snapshot that is there is never written again: it is what that version did.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { run } from '@weft/contracts';
import { Runs } from '../e2e/runs-client.js';
import { Stack } from '../e2e/stack.js';
import { RUNS, type RecordedRun } from './runs.js';
import { dumpRedis } from './snapshot.js';

const SERVICES = ['gateway', 'scheduler', 'step-runner', 'al-coordinator'];

async function main(path: string | undefined): Promise<void> {
  if (path === undefined) throw new Error('which file? e.g. tests/upgrade/snapshots/0002.jsonl.gz');
  if (existsSync(path)) throw new Error(`${path} is there: what an earlier version left is never written again; name a new file`);
  const stack = await Stack.start();
  const runs = new Runs(stack.grpc);
  const ids: Record<string, string> = {};
  for (const [name, { document, inputs, more }] of Object.entries(RUNS)) {
    ids[name] = await runs.submit(document, inputs, { name, noContainer: true, ...more });
  }
  await Promise.all(Object.entries(RUNS).map(([name, recorded]) => underWay(runs, ids[name] ?? '', recorded)));
  const { pid, services } = await stack.status();
  // Nobody answers for what it runs any more, so that the cancel is under way when everything dies.
  process.kill(services['step-runner']?.pid ?? 0, 'SIGSTOP');
  for (const [name, { cancelled }] of Object.entries(RUNS)) if (cancelled) await runs.cancel(ids[name] ?? '');
  const redis = new Redis(join(stack.runDirectory, 'redis.sock'));
  process.kill(pid, 'SIGSTOP');
  for (const name of SERVICES) process.kill(services[name]?.pid ?? 0, 'SIGKILL');
  const dump = await dumpRedis(redis);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, dump, { flag: 'wx' });
  process.kill(pid, 'SIGCONT');
  redis.disconnect();
  runs.close();
  await stack.stop();
  console.log(`${path}: ${dump.length} bytes`);
}

/** Resolves once so many of its tasks are done. */
async function underWay(runs: Runs, runId: string, { done, ended }: RecordedRun): Promise<void> {
  if (ended) return void (await runs.end(runId));
  const succeeded = new Set<string>();
  for await (const { event } of runs.watch(runId)) {
    if (event?.$case === 'runStatus' && done === 0) return;
    if (event?.$case !== 'taskStatus' || !event.value.task) continue;
    const { taskId, status, attempt } = event.value.task;
    if (done === 0 && attempt > 2) return;
    if (status === run.TaskStatus.SUCCEEDED) succeeded.add(taskId);
    if (done > 0 && succeeded.size >= done) return;
  }
  throw new Error(`run ${runId} ended before it was to be cut off`);
}

await main(process.argv[2]);
