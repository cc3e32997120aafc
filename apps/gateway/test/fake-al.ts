/** An AL coordinator that is a real gRPC server; tests set its sessions and templates and see what it was asked. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { al } from '@weft/contracts';
import { ServiceError, startGrpcServer, unary, type RunningGrpcServer } from '@weft/platform';
import { AT } from './fake-scheduler.js';

export class FakeAl {
  readonly commands: al.CommandRequest[] = [];
  sessions: al.Session[] = [];
  templates: al.Template[] = [];
  failNext: ServiceError | undefined;
  /** What commands are answered with, over the defaults. */
  answer: Partial<al.Command> = {};
  private server: RunningGrpcServer | undefined;

  async start(): Promise<string> {
    const services = [{ definition: al.AlCoordinatorService as ServiceDefinition, implementation: this.handlers() }];
    this.server = await startGrpcServer({ listen: '127.0.0.1:0', services });
    return this.server.address;
  }

  async stop(): Promise<void> {
    await this.server?.close(0);
  }

  reset(): void {
    this.commands.length = 0;
    this.sessions = [];
    this.answer = {};
    this.failNext = undefined;
    this.templates = [
      {
        name: 'query-selection',
        title: 'Query selection',
        description: 'Chooses samples',
        commands: ['start_querying', 'continue_querying'],
      },
      { name: 'training', title: 'Training', description: 'Fits a model', commands: ['prompt_training'] },
    ];
  }

  private handlers(): al.AlCoordinatorServer {
    return {
      command: unary(async (request: al.CommandRequest) => ({ command: this.accept(request) })),
      getCommand: unary(async (request: al.GetCommandRequest): Promise<al.GetCommandResponse> => {
        throw new ServiceError('NOT_FOUND', `no command '${request.commandId}'`);
      }),
      listSessions: unary(async ({ projectId, pageSize, pageToken }: al.ListSessionsRequest) => {
        if (projectId !== '') return { sessions: this.sessions.filter((session) => session.projectId === projectId), nextPageToken: '' };
        const from = Number(pageToken || '0');
        const to = from + (pageSize || 50);
        return { sessions: this.sessions.slice(from, to), nextPageToken: to < this.sessions.length ? String(to) : '' };
      }),
      getSession: unary(async ({ projectId, sessionId }: al.GetSessionRequest) => {
        const session = this.sessions.find((known) => known.projectId === projectId && known.sessionId === sessionId);
        if (!session) throw new ServiceError('NOT_FOUND', `no session '${sessionId}' in project '${projectId}'`);
        return { session };
      }),
      listTemplates: unary(async () => ({ templates: this.templates })),
    };
  }

  private accept(request: al.CommandRequest): al.Command {
    this.commands.push(request);
    if (this.failNext) throw this.failNext;
    return al.Command.fromPartial({
      commandId: `c-${this.commands.length}`,
      projectId: request.projectId,
      sessionId: request.sessionId || 's-1',
      command: request.command,
      status: al.CommandStatus.RUNNING,
      message: 'accepted',
      runId: 'r-al',
      createdAt: AT,
      ...this.answer,
    });
  }
}
