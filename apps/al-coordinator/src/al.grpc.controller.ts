/**
 * weft.al.v1.AlCoordinator. Served with startGrpcServer rather than Nest's gRPC transport: an rpc without a handler stops the start
 * instead of being skipped, errors are mapped once for all services, and the health service and the shared secret come with it.
 */
import { Injectable } from '@nestjs/common';
import { al } from '@weft/contracts';
import { unary } from '@weft/platform';
import { commandMessage, sessionMessage, sessionSummary } from './al.messages.js';
import type { Session } from './session/session.types.js';
import { AlService } from './al.service.js';
import { TemplateCatalog } from './templates/template.catalog.js';

/** Bytes of a page: with what is around them, below the 4 MiB that a client of gRPC takes unless told otherwise. */
const PAGE_BYTES = 3 * 1024 * 1024;

/** How many of them, from the first on, fit into a page; one at least. */
function fitting(sessions: readonly Session[]): number {
  let bytes = 0;
  const over = sessions.findIndex((session) => (bytes += al.Session.encode(sessionSummary(session)).finish().length) > PAGE_BYTES);
  return over < 0 ? sessions.length : Math.max(1, over);
}

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
    const page =
      projectId === ''
        ? await this.service.listAllSessions(pageSize, pageToken, fitting)
        : await this.service.listSessions(projectId, pageSize, pageToken, fitting);
    return { sessions: page.sessions.map(sessionSummary), nextPageToken: page.nextPageToken };
  }
}
