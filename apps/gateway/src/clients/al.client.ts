/** The AL coordinator as the gateway calls it; every rejection is a ServiceError. */
import { al } from '@weft/contracts';
import { callUnary, createClient } from '@weft/platform';

const DEADLINE_MS = 30_000;

export class AlGateway {
  private readonly client: al.AlCoordinatorClient;

  constructor(address: string, secret?: string) {
    this.client = createClient(al.AlCoordinatorClient, address, secret);
  }

  command(request: al.CommandRequest): Promise<al.CommandResponse> {
    return callUnary(this.client, this.client.command, request, { deadlineMs: DEADLINE_MS });
  }

  sessions(projectId: string): Promise<al.ListSessionsResponse> {
    return callUnary(this.client, this.client.listSessions, { projectId }, { deadlineMs: DEADLINE_MS });
  }

  session(projectId: string, sessionId: string): Promise<al.GetSessionResponse> {
    return callUnary(this.client, this.client.getSession, { projectId, sessionId }, { deadlineMs: DEADLINE_MS });
  }

  templates(): Promise<al.ListTemplatesResponse> {
    return callUnary(this.client, this.client.listTemplates, {}, { deadlineMs: DEADLINE_MS });
  }

  close(): void {
    this.client.close();
  }
}
