/** The DVRE dialect's workflow calls: /streamflow/…, a thin adapter onto the Runs API. */
import { writeJson } from '@weft/plan';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { gateway } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { type JsonObjectOrPart, jsonTextOf } from '../http/body/json-part.js';
import { nearest } from '../http/nearest.js';
import { describeRoute } from '../http/openapi.js';
import { ZodPipe } from '../http/validation.js';
import { RunsService } from '../runs/runs.service.js';
import { callerOf, type Caller, type CallerHeaders } from './caller.js';
import { DalTemplates } from './dal-templates.js';
import * as schemas from './streamflow.schemas.js';
import type { SubmitProjectWorkflowBodyData, SubmitWorkflowBodyData, WorkflowsQueryData } from './streamflow.schemas.js';
import { poolOf, statusView, summaryOf } from './streamflow.view.js';

const DEFAULT_DEPLOYMENT = 'local';
const DEFAULT_PAGE_SIZE = 1000;
/** Fields that are named one by one, and characters of each. */
const MAX_WARNINGS = 50;
const MAX_NAME = 100;

@ApiTags('DVRE workflows')
@Controller('streamflow')
export class StreamflowController {
  constructor(
    @Inject(RunsService) private readonly runs: RunsService,
    @Inject(DalTemplates) private readonly templates: DalTemplates,
  ) {}

  @Post('submit')
  @HttpCode(200)
  @describeRoute({
    summary: 'Submit a CWL workflow',
    body: schemas.SubmitWorkflowBody,
    answers: { 200: schemas.SubmittedWorkflow },
    errors: [400, 409, 413, 429, 501, 503],
    anyQuery: true,
  })
  submit(
    @Body(new ZodPipe(schemas.SubmitWorkflowBody, 'body')) body: SubmitWorkflowBodyData,
    @Headers() headers: CallerHeaders & { 'idempotency-key'?: string },
  ): Promise<schemas.SubmittedWorkflow> {
    return this.submitCwl(body, callerOf(headers, body), headers['idempotency-key'], schemas.SubmitWorkflowBody);
  }

  @Post('submit-project-workflow')
  @HttpCode(200)
  @describeRoute({
    summary: "Submit a project's workflow, or run one of the AL templates for it",
    body: schemas.SubmitProjectWorkflowBody,
    answers: { 200: schemas.SubmittedWorkflow },
    errors: [400, 409, 413, 429, 501, 503],
    anyQuery: true,
  })
  async submitForProject(
    @Body(new ZodPipe(schemas.SubmitProjectWorkflowBody, 'body')) body: SubmitProjectWorkflowBodyData,
    @Headers() headers: CallerHeaders & { 'idempotency-key'?: string },
  ): Promise<schemas.SubmittedWorkflow> {
    const caller = callerOf(headers, body);
    const key = headers['idempotency-key'];
    if (!body.use_dal_template) return this.submitCwl(body, caller, key, schemas.SubmitProjectWorkflowBody);
    const workflowId = await this.templates.run(body, caller, key ?? '');
    return submitted(workflowId, body, ignoredFields(body, schemas.SubmitProjectWorkflowBody));
  }

  @Get('status/:id')
  @describeRoute({ summary: "A workflow's status", answers: { 200: schemas.WorkflowStatus }, errors: [404, 503], anyQuery: true })
  async status(@Param('id') id: string): Promise<schemas.WorkflowStatus> {
    return statusView(await this.runs.get(id));
  }

  @Get('workflows')
  @describeRoute({
    summary: 'All workflows, newest first',
    query: schemas.WorkflowsQuery,
    answers: { 200: schemas.WorkflowList },
    errors: [400, 503],
  })
  workflows(@Query(new ZodPipe(schemas.WorkflowsQuery, 'query')) query: WorkflowsQueryData): Promise<object> {
    return this.list(query.project_id ?? '', query);
  }

  @Get('projects/:id/workflows')
  @describeRoute({
    summary: "A project's workflows, newest first",
    query: schemas.WorkflowsQuery,
    answers: { 200: schemas.WorkflowList },
    errors: [400, 503],
  })
  async projectWorkflows(
    @Param('id') id: string,
    @Query(new ZodPipe(schemas.WorkflowsQuery, 'query')) query: WorkflowsQueryData,
  ): Promise<object> {
    return { project_id: id, ...(await this.list(id, query)) };
  }

  private async list(projectId: string, query: WorkflowsQueryData): Promise<object> {
    const { page_size: pageSize = DEFAULT_PAGE_SIZE, page_token: pageToken = '' } = query;
    const labels: Record<string, string> = query.dal_only === 'true' ? { dal: 'true' } : {};
    const page = await this.runs.list({ projectId, statuses: [], pageSize, pageToken }, labels);
    return { workflows: page.runs.map(summaryOf), next_page_token: page.nextPageToken || null };
  }

  private async submitCwl(
    body: SubmitWorkflowBodyData,
    caller: Caller,
    key: string | undefined,
    schema: KnownFields,
  ): Promise<schemas.SubmittedWorkflow> {
    const { field, document } = workflowOf(body, schema);
    const accepted = await this.runs.submit(submitRequest(body, document, caller, key ?? ''), 'dvre', field);
    const warnings = accepted.diagnostics.map(({ file, line, message }) => (line > 0 ? `${file}:${line}: ${message}` : message));
    return submitted(accepted.run.runId, body, [...ignoredFields(body, schema), ...warnings]);
  }
}

interface KnownFields {
  shape: Record<string, unknown>;
}

/** @throws ServiceError INVALID_ARGUMENT where there is not exactly one workflow. */
function workflowOf(body: SubmitWorkflowBodyData, schema: KnownFields): { field: string; document: string | JsonObjectOrPart } {
  const { cwl_workflow: workflow, cwl_content: content } = body;
  if (workflow !== undefined && content !== undefined) throw invalid('give cwl_workflow or cwl_content, not both');
  if (workflow !== undefined) return { field: 'cwl_workflow', document: workflow };
  if (content !== undefined) return { field: 'cwl_content', document: content };
  const misspelt = unknownFields(body, schema).find((name) => nearest(name, ['cwl_workflow', 'cwl_content']));
  const advice = misspelt
    ? `; unknown field '${misspelt.slice(0, MAX_NAME)}', did you mean '${nearest(misspelt, ['cwl_workflow', 'cwl_content'])}'?`
    : '';
  throw invalid(`no workflow: give it as cwl_workflow (text or object) or cwl_content (text)${advice}`);
}

function submitRequest(
  body: SubmitWorkflowBodyData,
  document: string | JsonObjectOrPart,
  caller: Caller,
  key: string,
): gateway.SubmitRequest {
  return gateway.SubmitRequest.create({
    document: { $case: 'cwl', value: typeof document === 'string' ? document : jsonTextOf(document, 2) },
    inputsJson: jsonTextOf(body.inputs ?? {}),
    projectId: body.project_id ?? '',
    pool: poolOf(body.deployment ?? DEFAULT_DEPLOYMENT),
    cache: body.cache === true,
    noCache: body.cache === false,
    labels: labelsOf(body, caller),
    idempotencyKey: key,
  });
}

/** What the scheduler carries along for us; only what the call gave. */
function labelsOf(body: SubmitWorkflowBodyData, caller: Caller): Record<string, string> {
  const labels: Record<string, string> = { dialect: 'dvre', deployment: body.deployment ?? DEFAULT_DEPLOYMENT };
  if (body.contract_address) labels['contract_address'] = body.contract_address;
  if (body.transaction_hash) labels['transaction_hash'] = body.transaction_hash;
  if (body.metadata) labels['metadata'] = writeJson(body.metadata);
  if (caller.wallet) labels['user_wallet'] = caller.wallet;
  if (caller.role) labels['user_role'] = caller.role;
  return labels;
}

function submitted(workflowId: string, body: SubmitWorkflowBodyData, warnings: string[]): schemas.SubmittedWorkflow {
  return {
    workflow_id: workflowId,
    status: 'SUBMITTED',
    execution_engine: 'weft',
    deployment: body.deployment ?? DEFAULT_DEPLOYMENT,
    ...(body.project_id ? { project_id: body.project_id } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

const unknownFields = (body: object, schema: KnownFields): string[] => Object.keys(body).filter((name) => !(name in schema.shape));

function ignoredFields(body: object, schema: KnownFields): string[] {
  const names = unknownFields(body, schema);
  const warnings = names.slice(0, MAX_WARNINGS).map((name) => `unknown field '${name.slice(0, MAX_NAME)}' was ignored`);
  return names.length > MAX_WARNINGS ? [...warnings, `${names.length - MAX_WARNINGS} more unknown fields were ignored`] : warnings;
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', message);
}
