/** The DVRE dialect's active-learning calls: /al-engine/…, /dal/templates; forwarded to the AL coordinator. */
import { writeJson } from '@weft/plan';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { al } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { AlGateway } from '../clients/al.client.js';
import { describeRoute } from '../http/openapi.js';
import { ZodPipe } from '../http/validation.js';
import * as schemas from './al-engine.schemas.js';
import type { CommandBodyData, ProjectSessionsQueryData, SessionsQueryData } from './al-engine.schemas.js';
import { commandAnswer, sessionCommand, sessionStats, sessionView } from './al-engine.view.js';
import { callerOf, type CallerHeaders } from './caller.js';
import { DalTemplates } from './dal-templates.js';

@ApiTags('DVRE active learning')
@Controller()
export class AlEngineController {
  constructor(
    @Inject(AlGateway) private readonly al: AlGateway,
    @Inject(DalTemplates) private readonly dal: DalTemplates,
  ) {}

  @Post('al-engine/command')
  @HttpCode(200)
  @describeRoute({
    summary: 'Give a command to an active-learning session',
    body: schemas.CommandBody,
    headers: {
      'X-User-Wallet': 'Who sends it (a claim)',
      'X-User-Role': 'coordinator, contributor or observer (a claim)',
      Prefer: '`wait`: answer once the command has ended',
    },
    answers: { 200: schemas.CommandAnswer },
    errors: [400, 403, 404, 409, 503],
    anyQuery: true,
  })
  async command(
    @Body(new ZodPipe(schemas.CommandBody, 'body')) body: CommandBodyData,
    @Headers() headers: CallerHeaders & { 'idempotency-key'?: string; prefer?: string },
  ): Promise<schemas.CommandAnswer> {
    const caller = callerOf(headers, body);
    const parameters = parametersOf(body);
    const { command } = await this.al.command({
      projectId: body.project_id,
      command: commandName(body),
      parametersJson: writeJson(parameters),
      sessionId: body.session_id ?? firstText(parameters['session_id'], parameters['previous_session_id']),
      contractAddress: body.contract_address ?? '',
      transactionHash: body.transaction_hash ?? '',
      authorizedBy: body.authorized_by ?? caller.wallet,
      userRole: caller.role,
      idempotencyKey: headers['idempotency-key'] ?? '',
      awaitRun: false,
      awaitEnd: prefersToWait(headers.prefer),
    });
    if (!command) throw new ServiceError('INTERNAL', 'the AL coordinator answered without a command');
    return commandAnswer(command);
  }

  @Get('al-engine/sessions')
  @describeRoute({
    summary: 'Sessions of all projects, newest first',
    query: schemas.SessionsQuery,
    answers: { 200: schemas.AllSessions },
    errors: [400, 503],
  })
  async allSessions(@Query(new ZodPipe(schemas.SessionsQuery, 'query')) query: SessionsQueryData): Promise<object> {
    const { sessions, nextPageToken } = await this.al.allSessions(query.page_size ?? 0, query.page_token ?? '');
    const views = sessions.map((session) => ({ ...sessionView(session), project_id: session.projectId }));
    return { sessions: views, next_page_token: nextPageToken || null };
  }

  @Get('al-engine/sessions/:project')
  @describeRoute({
    summary: "A project's sessions, oldest first",
    query: schemas.ProjectSessionsQuery,
    answers: { 200: schemas.ProjectSessions },
    errors: [400, 503],
    anyQuery: true,
  })
  async projectSessions(
    @Param('project') project: string,
    @Query(new ZodPipe(schemas.ProjectSessionsQuery, 'query')) query: ProjectSessionsQueryData,
  ): Promise<object> {
    const { sessions, nextPageToken } = await this.al.sessions(project, query.page_token);
    return { project_id: project, sessions: sessions.map(sessionView), ...(nextPageToken !== '' && { next_page_token: nextPageToken }) };
  }

  @Get('al-engine/sessions/:project/:session')
  @describeRoute({ summary: 'One session with its commands', answers: { 200: schemas.SessionDetail }, errors: [404, 503], anyQuery: true })
  async session(@Param('project') project: string, @Param('session') id: string): Promise<object> {
    const { session } = await this.al.session(project, id);
    if (!session) throw new ServiceError('INTERNAL', 'the AL coordinator answered without a session');
    return { ...sessionView(session), project_id: session.projectId, commands: session.commands.map(sessionCommand) };
  }

  @Get('al-engine/session-stats/:project')
  @describeRoute({ summary: "Sums over a project's sessions", answers: { 200: schemas.SessionStats }, errors: [503], anyQuery: true })
  async stats(@Param('project') project: string): Promise<schemas.SessionStats> {
    const all: al.Session[] = [];
    let pageToken: string | undefined;
    do {
      const page = await this.al.sessions(project, pageToken);
      for (const session of page.sessions) all.push({ ...session, queriedSamples: [] });
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return sessionStats(project, all);
  }

  @Get('dal/templates')
  @describeRoute({ summary: 'The workflows that commands run', answers: { 200: schemas.TemplateList }, errors: [503], anyQuery: true })
  async templates(): Promise<object> {
    const templates = await this.dal.list();
    return { templates: templates.map(({ name, title, description, commands }) => ({ name, title, description, commands })) };
  }
}

/** @throws ServiceError INVALID_ARGUMENT where no command, or two different ones, are named. */
function commandName(body: CommandBodyData): string {
  const { command, command_type: type } = body;
  if (command && type && command !== type) throw new ServiceError('INVALID_ARGUMENT', "'command' and 'command_type' differ");
  const name = command ?? type;
  if (!name) throw new ServiceError('INVALID_ARGUMENT', "'command' (or 'command_type') is needed");
  return name;
}

/** The preference `wait` of RFC 7240, with or without its seconds: the client's own timeout says how long it waits. */
const prefersToWait = (prefer = ''): boolean => prefer.split(',').some((preference) => /^\s*wait\s*(=|$)/i.test(preference));

const firstText = (...values: unknown[]): string => values.find((value) => typeof value === 'string') ?? '';

/** `workflow_id` of the second form travels with the parameters, which the coordinator keeps. */
function parametersOf({ parameters = {}, workflow_id: workflowId }: CommandBodyData): Record<string, unknown> {
  return workflowId === undefined ? parameters : { workflow_id: workflowId, ...parameters };
}
