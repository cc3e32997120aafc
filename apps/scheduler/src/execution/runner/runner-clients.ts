/** Connections to runners, one per address, made when first needed. */
import { executor } from '@weft/contracts';
import { createClient, type ServiceTls } from '@weft/platform';

export class RunnerClients {
  private readonly clients = new Map<string, executor.ContainerExecutorClient>();

  constructor(
    private readonly secret: string | undefined,
    private readonly tls?: ServiceTls,
  ) {}

  of(address: string): executor.ContainerExecutorClient {
    const known = this.clients.get(address);
    if (known) return known;
    const client = createClient(executor.ContainerExecutorClient, address, this.secret, this.tls);
    this.clients.set(address, client);
    return client;
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }
}
