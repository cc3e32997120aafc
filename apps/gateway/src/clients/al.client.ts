/** The AL coordinator as the gateway calls it; every rejection is a ServiceError. */
import { al } from '@weft/contracts';
import { callUnary, createClient, type ServiceTls } from '@weft/platform';

const DEADLINE_MS = 30_000;
/** A command whose answer waits for its run or its end: the first may have an image built before. */
const AWAIT_DEADLINE_MS = 1_800_000;
const PEER = 'the AL coordinator';

export class AlGateway {
  private readonly client: al.AlCoordinatorClient;

  constructor(address: string, secret?: string, tls?: ServiceTls) {
    this.client = createClient(al.AlCoordinatorClient, address, secret, tls);
  }

  command(request: al.CommandRequest): Promise<al.CommandResponse> {
    return callUnary(this.client, this.client.command, request, {
      deadlineMs: request.awaitRun || request.awaitEnd ? AWAIT_DEADLINE_MS : DEADLINE_MS,
      peer: PEER,
    });
  }

  /** Of a project, oldest first: as many as a message takes. */
  sessions(projectId: string, pageToken = ''): Promise<al.ListSessionsResponse> {
    return this.listSessions({ projectId, pageSize: 0, pageToken });
  }

  /** Newest first; page size 0 is the coordinator's default. */
  allSessions(pageSize: number, pageToken: string): Promise<al.ListSessionsResponse> {
    return this.listSessions({ projectId: '', pageSize, pageToken });
  }

  session(projectId: string, sessionId: string): Promise<al.GetSessionResponse> {
    return callUnary(this.client, this.client.getSession, { projectId, sessionId }, { deadlineMs: DEADLINE_MS, peer: PEER });
  }

  templates(): Promise<al.ListTemplatesResponse> {
    return callUnary(this.client, this.client.listTemplates, {}, { deadlineMs: DEADLINE_MS, peer: PEER });
  }

  close(): void {
    this.client.close();
  }

  private listSessions(request: al.ListSessionsRequest): Promise<al.ListSessionsResponse> {
    return callUnary(this.client, this.client.listSessions, request, { deadlineMs: DEADLINE_MS, peer: PEER });
  }
}
