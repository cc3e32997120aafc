/** weft.registry.v1.RunnerRegistry over the registry port. */
import type { registry as pb } from '@weft/contracts';
import { ServiceError, unary } from '@weft/platform';
import type { RunnerRecord, RunnerRegistry } from '@weft/registry';

export function registryService(registry: RunnerRegistry, ttlMs: number): pb.RunnerRegistryServer {
  return {
    register: unary(async (request) => {
      await registry.register(toRecord(request), ttlMs);
      return { ttlMs };
    }),
    deregister: unary(async ({ runnerId }) => {
      await registry.deregister(runnerId);
      return {};
    }),
    listRunners: unary(async ({ pool }) => ({ runners: (await registry.list(pool || undefined)).map(toRunner) })),
  };
}

function toRecord({ address, description, draining }: pb.RegisterRequest): Omit<RunnerRecord, 'lastSeenMs'> {
  if (address === '' || !description?.runnerId)
    throw new ServiceError('INVALID_ARGUMENT', 'a registration needs address and description.runner_id');
  const { runnerId, pool, version, runtimes, labels, sandboxRoot, capacity } = description;
  if (!capacity) throw new ServiceError('INVALID_ARGUMENT', `runner ${runnerId} does not say its capacity`);
  return { runnerId, address, pool: pool || 'default', version, runtimes, labels, sandboxRoot, draining, capacity };
}

function toRunner(record: RunnerRecord): pb.Runner {
  const { runnerId, version, pool, runtimes, capacity, labels, sandboxRoot, address, draining, lastSeenMs } = record;
  return {
    address,
    description: { runnerId, version, pool, runtimes, capacity, labels, sandboxRoot },
    draining,
    lastSeen: new Date(lastSeenMs),
  };
}
