import type { EngineEvent, TaskStatus } from '@weft/engine';
import type { CommandExecutor } from '../runs/owned-run.js';
import { type MetricsSources, schedulerMetrics } from './scheduler-metrics.js';
import { Tallies } from './tallies.js';
import { anOwnedRun, aTaskRecord, stateWith } from '../../test/an-owned-run.js';

const nothing = (): void => undefined;
const executor: CommandExecutor = { execute: nothing, applied: nothing, stopped: nothing, ending: async () => undefined };
const failed = (code: string): EngineEvent => ({
  ...{ type: 'TaskFailed', taskId: 't', attempt: 1, retryable: true },
  failure: { code, message: 'no' },
});
const succeeded = (cached: boolean): EngineEvent => ({
  type: 'TaskSucceeded',
  taskId: 't',
  attempt: 1,
  outputs: {},
  ...(cached && { cached }),
});

/** Tallies of events, each with the status of its task after it. */
function tallied(events: [event: EngineEvent, status: TaskStatus][]): Tallies {
  const tallies = new Tallies();
  const counted = tallies.following(executor);
  for (const [event, status] of events) counted.applied(anOwnedRun({ state: stateWith([aTaskRecord({ taskId: 't', status })]) }), event);
  return tallies;
}

async function lines(tallies: Tallies, more: Partial<MetricsSources> = {}): Promise<string[]> {
  const text = await schedulerMetrics({
    tallies,
    releaser: { report: () => [] },
    runners: { pools: () => ['default'], waitingCount: 3, coresOf: () => 16 },
    queue: { depth: async () => ({ waiting: 5, active: 2, delayed: 0, failed: 0 }) },
    owner: { activeRuns: 4, heldPartitions: 32 },
    memory: { held: 11, capacity: 12 },
    archivedRuns: () => 6,
    ...more,
  });
  return text.split('\n');
}

it('counts how tasks end, and retries apart from failures, by code', async () => {
  const tallies = tallied([
    [succeeded(false), 'succeeded'],
    [succeeded(true), 'succeeded'],
    [failed('RUNNER_LOST'), 'queued'],
    [failed('RUNNER_LOST'), 'queued'],
    [failed('TOOL_EXIT'), 'failed'],
    [{ type: 'TaskCancelled', taskId: 't', attempt: 1 }, 'queued'],
    [{ type: 'TaskCancelled', taskId: 't', attempt: 2 }, 'cancelled'],
  ]);
  expect(await lines(tallies)).toEqual(
    expect.arrayContaining([
      'weft_tasks_ended_total{status="succeeded"} 1',
      'weft_tasks_ended_total{status="cached"} 1',
      'weft_tasks_ended_total{status="failed"} 1',
      'weft_tasks_ended_total{status="cancelled"} 1',
      'weft_task_retries_total{code="RUNNER_LOST"} 2',
      'weft_task_failures_total{code="TOOL_EXIT"} 1',
    ]),
  );
});

it('a runner that makes up codes makes no more series than there is room for', () => {
  const codes = [...Array.from({ length: 200 }, (_, n) => `CODE_${n}`), 'not a code "at all"'];
  const { failures } = tallied(codes.map((code) => [failed(code), 'failed']));
  expect(failures.size).toBe(101);
  expect(failures.get('OTHER')).toBe(101);
});

it('says what waits where, and why', async () => {
  const tallies = new Tallies();
  tallies.lookedUp(true);
  tallies.onHandled({ pool: 'default', ok: true, waitedMs: 1_500, ranMs: 7 });
  const report = [{ pool: 'default', held: { room: 7, limit: 8 }, inFlight: 9, unstarted: 1 }];
  expect(await lines(tallies, { releaser: { report: () => report } })).toEqual(
    expect.arrayContaining([
      'weft_tasks_held{pool="default",reason="room"} 7',
      'weft_tasks_held{pool="default",reason="limit"} 8',
      'weft_tasks_in_flight{pool="default"} 9',
      'weft_tasks_unstarted{pool="default"} 1',
      'weft_tasks_awaiting_runner 3',
      'weft_pool_cores{pool="default"} 16',
      'weft_partitions_leased 32',
      'weft_runs_active 4',
      'weft_run_memory_bytes 11',
      'weft_run_memory_capacity_bytes 12',
      'weft_runs_archived_total 6',
      'weft_call_cache_lookups_total{result="hit"} 1',
      'weft_call_cache_lookups_total{result="miss"} 0',
      'weft_queue_jobs{pool="default",state="waiting"} 5',
      'weft_queue_wait_seconds_sum{pool="default"} 1.5',
      'weft_queue_wait_seconds_count{pool="default"} 1',
    ]),
  );
});
