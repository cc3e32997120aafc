/**
 * Whether the runners of a pool run images of Docker, as the scheduler's registry tells. Waits while no runner has registered yet, because
 * then nothing is known; the runtime is decided once for the life of the process.
 */
import { executor, registry } from '@weft/contracts';
import { callUnary, createClient, ServiceError, type ServiceTls } from '@weft/platform';
import type { ContainerRunners } from './al-runtime.js';

/** The runtime whose images the coordinator builds. */
const RUNTIME = 'docker';
const CALL_DEADLINE_MS = 30_000;

export class RegisteredRunners implements ContainerRunners {
  private readonly client: registry.RunnerRegistryClient;

  constructor(
    schedulerAddress: string,
    private readonly pool: string,
    secret?: string,
    tls?: ServiceTls,
  ) {
    this.client = createClient(registry.RunnerRegistryClient, schedulerAddress, secret, tls);
  }

  /** @throws ServiceError UNAVAILABLE where the scheduler is away or no runner has registered: asking again may help. */
  async unavailable(): Promise<string | undefined> {
    const { runners } = await callUnary(this.client, this.client.listRunners, { pool: this.pool }, { deadlineMs: CALL_DEADLINE_MS });
    if (runners.length === 0) throw new ServiceError('UNAVAILABLE', `no runner of pool '${this.pool}' has registered`);
    return whyNone(this.pool, runners);
  }

  close(): void {
    this.client.close();
  }
}

/** Undefined where one of the runners can use Docker now. Pure. */
export function whyNone(pool: string, runners: registry.Runner[]): string | undefined {
  const offered = runners.flatMap(({ description }) => description?.runtimes ?? []).filter(({ name }) => name === RUNTIME);
  if (offered.some(isUsable)) return undefined;
  const [first] = offered;
  return first === undefined
    ? `no runner of pool '${pool}' has the runtime ${RUNTIME}`
    : `no runner of pool '${pool}' can use ${RUNTIME} (${first.unavailable})`;
}

function isUsable({ unavailable }: executor.RuntimeInfo): boolean {
  return unavailable === '';
}
