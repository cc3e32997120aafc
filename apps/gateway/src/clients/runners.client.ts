/** The registry of runners as the gateway calls it; every rejection is a ServiceError. */
import { registry } from '@weft/contracts';
import { callUnary, createClient, type ServiceTls } from '@weft/platform';

const DEADLINE_MS = 30_000;
const CALL = { deadlineMs: DEADLINE_MS, peer: 'the scheduler' };

export class RunnersGateway {
  private readonly client: registry.RunnerRegistryClient;

  /** @param address of the scheduler */
  constructor(address: string, secret?: string, tls?: ServiceTls) {
    this.client = createClient(registry.RunnerRegistryClient, address, secret, tls);
  }

  /** @param pool empty = all */
  async list(pool: string): Promise<registry.Runner[]> {
    return (await callUnary(this.client, this.client.listRunners, { pool }, CALL)).runners;
  }

  /** NOT_FOUND: no such runner. */
  async drain(runnerId: string, draining: boolean): Promise<void> {
    await callUnary(this.client, this.client.drain, { runnerId, draining }, CALL);
  }

  close(): void {
    this.client.close();
  }
}
