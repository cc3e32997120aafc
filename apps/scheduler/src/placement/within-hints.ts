/**
 * Resources that only hints ask for: no reason to fail (CWL v1.2 Workflow, "Requirements and hints"). Where no runner has as much, the task
 * gets what the largest one has, and is told so by its `runtime`.
 */
import type { RunnerAmounts, RunnerRecord } from '@weft/registry';
import { type PreparedTask, TaskError, type TaskResources } from '@weft/tasks';
import { amountsOf, fits, NOTHING, runtimeFor } from './runner-choice.js';
import type { PlacementRequest, RunnerPool } from './runner-pool.js';

const MIB = 1024 * 1024;

/** The task as it was asked for, or with less where that is all that keeps a runner from taking it. */
export async function withinHints(
  pool: Pick<RunnerPool, 'place' | 'runnersOf'>,
  asked: PreparedTask,
  request: PlacementRequest,
): Promise<PreparedTask> {
  if (asked.resources.hinted === undefined) return asked;
  if (pool.runnersOf(request.pool).length === 0) await firstRunner(pool, request);
  const less = mostOf(pool.runnersOf(request.pool), request);
  if (less === undefined || compare(less, asked.resources) === 0) return asked;
  return { ...asked, resources: less, bind: (layout) => asked.bind(layout, less) };
}

/** After a start runners come one by one. */
async function firstRunner(pool: Pick<RunnerPool, 'place'>, request: PlacementRequest): Promise<void> {
  try {
    (await pool.place(request)).release();
  } catch (error) {
    if (!(error instanceof TaskError && error.code === 'NO_RUNNER')) throw error;
  }
}

/** The most that one runner has of what is asked for; undefined where requirements ask for more. */
function mostOf(runners: readonly RunnerRecord[], { resources, isolation }: PlacementRequest): TaskResources | undefined {
  return runners
    .filter((runner) => runtimeFor(runner, isolation) !== undefined)
    .map(({ capacity }) => ({ capacity, less: cutBack(resources, capacity) }))
    .filter(({ capacity, less }) => fits(amountsOf(less), NOTHING, capacity))
    .map(({ less }) => less)
    .reduce<TaskResources | undefined>((best, less) => (best === undefined || compare(less, best) > 0 ? less : best), undefined);
}

function cutBack(resources: TaskResources, capacity: RunnerAmounts): TaskResources {
  const { hinted = { host: false, gpus: false } } = resources;
  const cut = { ...resources };
  if (hinted.host) {
    cut.cores = Math.min(resources.cores, capacity.cores);
    cut.ramMiB = Math.min(resources.ramMiB, Math.floor(capacity.ramBytes / MIB));
    cut.diskMiB = Math.min(resources.diskMiB, Math.floor(capacity.diskBytes / MIB));
  }
  if (hinted.gpus) cut.gpus = Math.min(resources.gpus, capacity.gpus);
  return cut;
}

const compare = (a: TaskResources, b: TaskResources): number =>
  a.gpus - b.gpus || a.cores - b.cores || a.ramMiB - b.ramMiB || a.diskMiB - b.diskMiB;

/** What the author hears of it. */
export function cutBackNote(asked: TaskResources, got: TaskResources): string {
  const amounts: [number, number, string][] = [
    [asked.cores, got.cores, 'cores'],
    [asked.ramMiB, got.ramMiB, 'MiB of memory'],
    [asked.diskMiB, got.diskMiB, 'MiB of disk'],
    [asked.gpus, got.gpus, 'GPUs'],
  ];
  const parts = amounts.filter(([wanted, has]) => has < wanted).map(([wanted, has, unit]) => `${has} of ${wanted} ${unit}`);
  return `no runner has what the hints ask for: it runs with ${parts.join(', ')}`;
}
