/**
 * weft.al.v1.AlCoordinator. Served with startGrpcServer rather than Nest's gRPC transport: an rpc without a handler stops the start
 * instead of being skipped, errors are mapped once for all services, and the health service and the shared secret come with it.
 */
import { Injectable } from '@nestjs/common';
import type { al } from '@weft/contracts';
import { unary } from '@weft/platform';
import { commandMessage, sessionMessage } from './al.messages.js';
import { AlService } from './al.service.js';
import { TemplateCatalog } from './templates/template.catalog.js';

@Injectable()
export class AlGrpcController {
  constructor(
    private readonly service: AlService,
    private readonly templates: TemplateCatalog,
  ) {}

  handlers(): al.AlCoordinatorServer {
    return {
      command: unary(async (request) => ({ command: commandMessage(await this.service.command(request)) })),
      getCommand: unary(async (request) => ({
        command: commandMessage(await this.service.getCommand(request.projectId, request.commandId)),
      })),
      listSessions: unary((request) => this.listSessions(request)),
      getSession: unary(async (request) => ({
        session: sessionMessage(await this.service.getSession(request.projectId, request.sessionId)),
      })),
      listTemplates: unary(async () => ({ templates: await this.templates.list() })),
    };
  }

  private async listSessions({ projectId, pageSize, pageToken }: al.ListSessionsRequest): Promise<al.ListSessionsResponse> {
    if (projectId !== '') {
      return { sessions: (await this.service.listSessions(projectId)).map(sessionMessage), nextPageToken: '' };
    }
    const { sessions, nextPageToken } = await this.service.listAllSessions(pageSize, pageToken);
    return { sessions: sessions.map(sessionMessage), nextPageToken };
  }
}
