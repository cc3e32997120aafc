/** Protobuf messages of the registry → the JSON of the REST API. */
import { executor, type registry } from '@weft/contracts';
import type { RunnerView } from './runners.schemas.js';

export function runnerView({ address, description, draining, lastSeen }: registry.Runner): RunnerView {
  const { runnerId, pool, version, runtimes, capacity, inUse, labels, tasksAdmitted, tasksWaiting } =
    description ?? executor.DescribeResponse.create();
  return {
    runner_id: runnerId,
    pool,
    address,
    version,
    runtimes,
    capacity: amountsView(capacity),
    in_use: amountsView(inUse),
    tasks: { admitted: tasksAdmitted, waiting: tasksWaiting },
    labels,
    draining,
    last_seen: lastSeen?.toISOString() ?? null,
  };
}

function amountsView(amounts: executor.Resources | undefined): RunnerView['capacity'] {
  const { cores, ramBytes, diskBytes, gpus } = amounts ?? executor.Resources.create();
  return { cores, ram_bytes: ramBytes, disk_bytes: diskBytes, gpus };
}
