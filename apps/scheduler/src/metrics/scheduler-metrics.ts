/** What the scheduler tells Prometheus. Names and meanings are listed in docs/guides/operating.md. */
import { metricFamily, type Sample, samplesBy } from '@weft/platform';
import type { TaskQueue } from '@weft/queue';
import type { RunnerPool } from '../placement/runner-pool.js';
import type { TaskReleaser } from '../admission/task-releaser.js';
import type { PartitionOwner } from '../runs/partition-owner.js';
import type { RunMemory } from '../runs/memory/run-memory.js';
import type { Tallies } from './tallies.js';

export interface MetricsSources {
  tallies: Tallies;
  releaser: Pick<TaskReleaser, 'report'>;
  runners: Pick<RunnerPool, 'pools' | 'waitingCount' | 'coresOf'>;
  queue: Pick<TaskQueue, 'depth'>;
  owner: Pick<PartitionOwner, 'activeRuns' | 'heldPartitions'>;
  memory: Pick<RunMemory, 'held' | 'capacity'>;
  archivedRuns(): number;
}

export async function schedulerMetrics(sources: MetricsSources): Promise<string> {
  const { tallies, runners, owner, memory } = sources;
  const gauge = (name: string, help: string, value: number): string => metricFamily(name, 'gauge', help, [{ value }]);
  return [
    gauge('weft_partitions_leased', "Partitions of runs that this scheduler leases; all schedulers' together: 64.", owner.heldPartitions),
    gauge('weft_runs_active', 'Runs of these partitions that have not ended.', owner.activeRuns),
    gauge('weft_run_memory_bytes', 'What runs hold of the memory of this scheduler, about.', memory.held),
    gauge(
      'weft_run_memory_capacity_bytes',
      'Above this, what is large is refused of projects that hold more than their share.',
      memory.capacity,
    ),
    metricFamily('weft_runs_archived_total', 'counter', 'Runs moved from Redis to the archive.', [{ value: sources.archivedRuns() }]),
    ...ofTasks(sources),
    metricFamily('weft_tasks_ended_total', 'counter', 'Tasks by how they ended.', samplesBy('status', Object.entries(tallies.ended))),
    metricFamily(
      'weft_task_retries_total',
      'counter',
      'Failed attempts that another followed, by code.',
      samplesBy('code', tallies.retries),
    ),
    metricFamily('weft_task_failures_total', 'counter', 'Tasks that failed for good, by code.', samplesBy('code', tallies.failures)),
    metricFamily(
      'weft_call_cache_lookups_total',
      'counter',
      'Tasks for which an earlier result was looked for.',
      samplesBy('result', Object.entries(tallies.cacheLookups)),
    ),
    gauge('weft_tasks_awaiting_runner', 'Tasks taken from the queue that wait for room on a runner.', runners.waitingCount),
    metricFamily(
      'weft_pool_cores',
      'gauge',
      'Cores of runners that take tasks.',
      runners.pools().map((pool) => ({ labels: { pool }, value: runners.coresOf(pool) })),
    ),
    ...(await ofQueues(sources)),
  ].join('');
}

function ofTasks({ releaser }: MetricsSources): string[] {
  const pools = releaser.report();
  const held = pools.flatMap(({ pool, held: reasons }) =>
    Object.entries(reasons).map(([reason, value]) => ({ labels: { pool, reason }, value })),
  );
  const of = (key: 'inFlight' | 'unstarted'): Sample[] => pools.map((report) => ({ labels: { pool: report.pool }, value: report[key] }));
  return [
    metricFamily('weft_tasks_held', 'gauge', 'Tasks held back with their runs: for room in the pool, or by a limit.', held),
    metricFamily('weft_tasks_in_flight', 'gauge', 'Tasks released and not answered.', of('inFlight')),
    metricFamily('weft_tasks_unstarted', 'gauge', 'Of these, tasks that have not started.', of('unstarted')),
  ];
}

async function ofQueues({ tallies, queue, runners }: MetricsSources): Promise<string[]> {
  const pools = [...new Set([...runners.pools(), ...tallies.taken.keys()])].sort();
  const jobs = await Promise.all(
    pools.map(async (pool) => Object.entries(await queue.depth(pool)).map(([state, value]) => ({ labels: { pool, state }, value }))),
  );
  const waits = [...tallies.taken].flatMap(([pool, taken]): Sample[] => [
    { labels: { pool }, value: taken.waitedMs / 1000, series: 'sum' },
    { labels: { pool }, value: taken.jobs, series: 'count' },
  ]);
  return [
    metricFamily('weft_queue_jobs', 'gauge', 'Jobs in the queue of a pool; the same from every scheduler.', jobs.flat()),
    metricFamily('weft_queue_wait_seconds', 'summary', 'Time from the release of a task until this scheduler took its job.', waits),
  ];
}
