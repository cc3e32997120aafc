/** weft.registry.v1.RunnerRegistry over the registry port. */
import type { executor, registry as pb } from '@weft/contracts';
import { ServiceError, unary } from '@weft/platform';
import { IDLE, type RunnerLoad, type RunnerRecord, type RunnerRegistry } from '@weft/registry';

/** @param unwanted of attempts that nobody follows, those that nobody will ask for any more */
export function registryService(
  registry: RunnerRegistry,
  ttlMs: number,
  unwanted: (runnerId: string, attempts: pb.Attempt[]) => Promise<pb.Attempt[]>,
): pb.RunnerRegistryServer {
  return {
    register: unary(async (request) => {
      const record = toRecord(request);
      await registry.register(record, ttlMs);
      return { ttlMs, unwanted: await unwanted(record.runnerId, request.unattended) };
    }),
    deregister: unary(async ({ runnerId }) => {
      await registry.deregister(runnerId);
      return {};
    }),
    listRunners: unary(async ({ pool }) => ({ runners: (await registry.list(pool || undefined)).map(toRunner) })),
    drain: unary(async ({ runnerId, draining }) => {
      const listed = (await registry.list()).some((runner) => runner.runnerId === runnerId);
      const known = listed || (await registry.drained()).includes(runnerId);
      if (!known) throw new ServiceError('NOT_FOUND', `there is no runner '${runnerId}'`);
      await registry.drain(runnerId, draining);
      return {};
    }),
  };
}

function toRecord({ address, description, draining }: pb.RegisterRequest): Omit<RunnerRecord, 'lastSeenMs'> {
  if (address === '' || !description?.runnerId)
    throw new ServiceError('INVALID_ARGUMENT', 'a registration needs address and description.runner_id');
  const { runnerId, pool, version, runtimes, labels, sandboxRoot, attemptSeparator, capacity } = description;
  if (!['', '.', '-'].includes(attemptSeparator))
    throw new ServiceError('INVALID_ARGUMENT', `runner ${runnerId}: attempt_separator must be '.' or '-'`);
  if (!capacity) throw new ServiceError('INVALID_ARGUMENT', `runner ${runnerId} does not say its capacity`);
  return {
    runnerId,
    address,
    pool: pool || 'default',
    version,
    runtimes,
    labels,
    sandboxRoot,
    ...(attemptSeparator !== '' && { attemptSeparator }),
    draining,
    capacity,
    load: loadOf(description),
  };
}

/** Runners of other makes need not say what their tasks hold. */
function loadOf({ inUse, tasksAdmitted, tasksWaiting }: executor.DescribeResponse): RunnerLoad {
  return { inUse: inUse ?? IDLE.inUse, tasksAdmitted, tasksWaiting };
}

function toRunner(record: RunnerRecord): pb.Runner {
  const { load, address, draining, lastSeenMs, ...description } = record;
  const runtimes = record.runtimes.map((runtime) => ({ ...runtime, expected: runtime.expected === true }));
  return {
    address,
    description: { ...description, attemptSeparator: record.attemptSeparator ?? '', runtimes, ...load },
    draining,
    lastSeen: new Date(lastSeenMs),
  };
}
