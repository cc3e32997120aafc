/** The native REST API: /api/v1/runs. */
import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { gateway, run, status } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { hasKey, jsonTextOf, smallObject } from '../http/body/json-part.js';
import { describeRoute } from '../http/openapi.js';
import { ZodPipe, parseRequest } from '../http/validation.js';
import { diagnosticView, runSummary, runView, taskView } from './run.view.js';
import * as schemas from './runs.schemas.js';
import type { CancelBodyData, ListQueryData, PageQueryData, SubmitBodyData } from './runs.schemas.js';
import { RunsService } from './runs.service.js';

@ApiTags('runs')
@Controller('api/v1/runs')
export class RunsController {
  constructor(@Inject(RunsService) private readonly runs: RunsService) {}

  @Post()
  @describeRoute({
    summary: 'Submit a workflow',
    body: schemas.SubmitBody,
    headers: { 'Idempotency-Key': 'A repeat with the same key answers 200 with the first run' },
    answers: { 201: schemas.SubmittedView, 200: schemas.SubmittedView },
    errors: [400, 409, 413, 429, 501, 503],
  })
  async submit(
    @Body(new ZodPipe(schemas.SubmitBody, 'body')) body: SubmitBodyData,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const accepted = await this.runs.submit(submitRequest(body, idempotencyKey(key, body.idempotency_key)), 'rest');
    const { existing } = accepted;
    void reply.code(existing ? 200 : 201).header('Location', `/api/v1/runs/${accepted.run.runId}`);
    return { ...runView(accepted.run), existing, diagnostics: accepted.diagnostics.map(diagnosticView) };
  }

  @Get()
  @describeRoute({
    summary: 'List runs, newest first, without their inputs and outputs',
    query: schemas.ListQuery,
    answers: { 200: schemas.RunList },
    errors: [400, 503],
  })
  async list(@Query(new ZodPipe(schemas.ListQuery, 'query')) query: ListQueryData): Promise<object> {
    const page = await this.runs.list({
      projectId: query.project_id ?? '',
      statuses: [query.status ?? []].flat().map((word) => status.RUN_STATUS_OF[word]),
      ...pageOf(query),
    });
    return { runs: page.runs.map(runSummary), next_page_token: page.nextPageToken || null };
  }

  @Get(':id')
  @describeRoute({ summary: 'One run', answers: { 200: schemas.RunView }, errors: [404, 503] })
  async get(@Param('id') id: string): Promise<object> {
    return runView(await this.runs.get(id));
  }

  @Get(':id/tasks')
  @describeRoute({ summary: "A run's tasks", query: schemas.PageQuery, answers: { 200: schemas.TaskList }, errors: [400, 404, 503] })
  async tasks(@Param('id') id: string, @Query(new ZodPipe(schemas.PageQuery, 'query')) query: PageQueryData): Promise<object> {
    const page = await this.runs.tasks({ runId: id, ...pageOf(query) });
    return { tasks: page.tasks.map(taskView), next_page_token: page.nextPageToken || null };
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @describeRoute({ summary: 'Cancel a run', body: schemas.CancelBody, answers: { 202: schemas.RunView }, errors: [400, 404, 409, 503] })
  async cancel(@Param('id') id: string, @Body(new ZodPipe(schemas.CancelBody, 'body')) body: CancelBodyData): Promise<object> {
    return runView(await this.runs.cancel(id, body.reason ?? ''));
  }

  @Post(':id/retry')
  @HttpCode(202)
  @describeRoute({
    summary: 'Go on with a run that failed or was cancelled: what succeeded stays',
    answers: { 202: schemas.RunView },
    errors: [404, 409, 503],
  })
  async retry(@Param('id') id: string): Promise<object> {
    return runView(await this.runs.retry(id));
  }

  @Delete(':id')
  @HttpCode(204)
  @describeRoute({ summary: 'Delete a run that has ended, with its outputs and logs', answers: { 204: null }, errors: [404, 409, 503] })
  async delete(@Param('id') id: string): Promise<void> {
    await this.runs.delete(id);
  }
}

/** @throws ServiceError INVALID_ARGUMENT where header and body name different keys. */
function idempotencyKey(header: string | undefined, body: string | undefined): string {
  if (header && body && header !== body) {
    throw new ServiceError('INVALID_ARGUMENT', "the header Idempotency-Key and 'idempotency_key' in the body differ");
  }
  return header ?? body ?? '';
}

function submitRequest(body: SubmitBodyData, key: string): gateway.SubmitRequest {
  return {
    document: documentOf(body.cwl),
    inputsJson: jsonTextOf(body.inputs ?? {}),
    inputsBaseUri: body.inputs_base_uri ?? '',
    name: body.name ?? '',
    projectId: body.project_id ?? '',
    pool: body.pool ?? '',
    labels: body.labels ?? {},
    idempotencyKey: key,
    noContainer: body.no_container ?? false,
    defaultContainer: body.default_container ?? '',
    deadlineS: body.deadline_s ?? 0,
    maxAttempts: body.max_attempts ?? 0,
    failureMode: body.failure_mode === 'continue' ? run.FailureMode.CONTINUE : run.FailureMode.FAIL_FAST,
    oomRetryFactor: body.oom_retry_factor ?? 0,
    cache: body.cache ?? false,
    noCache: body.no_cache ?? false,
    keepIntermediates: body.keep_intermediates ?? false,
    priority: body.priority ?? 0,
    maxParallelTasks: body.max_parallel_tasks ?? 0,
  };
}

function documentOf(cwl: SubmitBodyData['cwl']): NonNullable<gateway.SubmitRequest['document']> {
  if (typeof cwl === 'string') return { $case: 'cwl', value: cwl };
  if (!hasKey(cwl, 'root_uri') && !hasKey(cwl, 'files')) return { $case: 'cwl', value: jsonTextOf(cwl, 2) };
  const { root_uri: rootUri, files } = parseRequest(schemas.Bundle, smallObject(cwl, 'cwl'), 'bundle');
  return { $case: 'bundle', value: { rootUri, files } };
}

const pageOf = (query: PageQueryData): { pageSize: number; pageToken: string } => ({
  pageSize: query.page_size ?? 0,
  pageToken: query.page_token ?? '',
});
