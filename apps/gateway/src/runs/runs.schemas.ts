/**
 * The JSON of the native REST API: what is accepted and what is answered. The OpenAPI page is made of these same schemas.
 *
 * Invariants: field names are snake_case; request objects refuse unknown fields; times are ISO 8601.
 */
import { status } from '@weft/contracts';
import { z } from 'zod';
import { objectOrPart } from '../http/body/json-part.js';

const { RUN_STATUS_WORDS, TASK_STATUS_WORDS } = status;

const UINT32_MAX = 4_294_967_295;
const runId = z.string().meta({ example: 'r-01jd3k6v8q2m4n5p7r9s0t1v2w' });
const time = z.iso.datetime().nullable().meta({ example: '2026-01-31T12:00:00.000Z' });
const jsonObject = z.record(z.string(), z.unknown());

export const Bundle = z
  .strictObject({
    root_uri: z.string().min(1).meta({ description: 'URI of the document to run; may end in #fragment', example: 'file:///w/main.cwl' }),
    files: z.record(z.string(), z.string()).meta({ description: 'Text of every document, by absolute URI' }),
  })
  .meta({ description: 'A document with everything it imports, includes or runs' });

const cwl = z
  .union([z.string().min(1), Bundle, objectOrPart], { error: 'expected CWL text, a CWL object, or a bundle {root_uri, files}' })
  .meta({
    description: 'CWL as text (YAML or JSON), as an object, or as a bundle of files',
    example:
      'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\ninputs:\n  message: {type: string, inputBinding: {}}\noutputs:\n  out: stdout\n',
  });

export const SubmitBody = z
  .strictObject({
    cwl,
    inputs: objectOrPart.optional().meta({ description: 'The CWL input object', example: { message: 'Hello' } }),
    inputs_base_uri: z.string().optional().meta({ description: 'What relative locations in the inputs are resolved against' }),
    name: z.string().max(200).optional(),
    project_id: z.string().max(200).optional(),
    pool: z.string().max(100).optional().meta({ description: 'Set of runners to use', example: 'default' }),
    labels: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'Free data carried along with the run', example: { team: 'qc' } }),
    idempotency_key: z.string().min(1).max(200).optional().meta({ description: 'A repeat with the same key answers with the first run' }),
    no_container: z.boolean().optional().meta({ description: 'Ignore DockerRequirement given as a hint' }),
    default_container: z.string().optional().meta({ description: 'Image for tools that name none', example: 'debian:stable-slim' }),
    deadline_s: z.int().min(0).max(UINT32_MAX).optional().meta({
      description: 'Seconds, from acceptance or the last retry, after which the run is stopped and fails with RUN_TIME_LIMIT; 0 = never',
    }),
    max_attempts: z.int().min(0).max(100).optional().meta({ description: 'Attempts of one task; 0 = the default of the service' }),
    failure_mode: z
      .enum(['fail-fast', 'continue'])
      .optional()
      .meta({ description: 'When a task has failed: stop the run at once (default), or go on with what does not need it' }),
    oom_retry_factor: z
      .number()
      .gt(1)
      .max(64)
      .optional()
      .meta({ description: 'Try a task that was killed for its memory again with this times as much', example: 2 }),
    cache: z.boolean().optional().meta({
      description:
        'Use results of earlier tasks that did the same, and keep those of this run; with neither this nor no_cache: as the service is set up',
    }),
    no_cache: z
      .boolean()
      .optional()
      .meta({ description: 'Execute every task, whatever results are known; what comes out takes their place' }),
    keep_intermediates: z.boolean().optional().meta({ description: 'Keep files that steps passed to each other' }),
    priority: z.int().min(-100).max(100).optional().meta({ description: 'Greater goes first; default 0' }),
    max_parallel_tasks: z
      .int()
      .min(0)
      .max(UINT32_MAX)
      .optional()
      .meta({ description: 'Tasks on runners at once; 0 = no limit of its own' }),
  })
  .meta({ description: 'A workflow and its inputs' });
export type SubmitBodyData = z.infer<typeof SubmitBody>;

export const CancelBody = z.strictObject({ reason: z.string().max(1000).optional().meta({ example: 'wrong inputs' }) }).default({});
export type CancelBodyData = z.infer<typeof CancelBody>;

const pageSize = z.coerce.number().int().min(1).max(1000).optional().meta({ description: 'At most this many; default 50', example: 50 });
const pageToken = z.string().optional().meta({ description: 'next_page_token of the page before' });
const flag = z.enum(['true', 'false']).optional();
const statuses = z
  .union([z.enum(RUN_STATUS_WORDS), z.array(z.enum(RUN_STATUS_WORDS))], { error: `expected one or more of ${RUN_STATUS_WORDS.join(', ')}` })
  .optional();

export const ListQuery = z.strictObject({
  page_size: pageSize,
  page_token: pageToken,
  project_id: z.string().optional(),
  status: statuses,
});
export type ListQueryData = z.infer<typeof ListQuery>;
export const PageQuery = z.strictObject({ page_size: pageSize, page_token: pageToken });
export type PageQueryData = z.infer<typeof PageQuery>;
export const LogsQuery = z.strictObject({ follow: flag, task_id: z.string().optional() });
export type LogsQueryData = z.infer<typeof LogsQuery>;
export const TaskLogQuery = z.strictObject({
  stream: z.enum(['stdout', 'stderr']).optional(),
  attempt: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be a whole number from 1')
    .optional(),
});
export type TaskLogQueryData = z.infer<typeof TaskLogQuery>;

export const FailureView = z
  .strictObject({
    code: z.string().meta({ example: 'TOOL_EXIT' }),
    message: z.string(),
    step: z.string(),
    index: z.string().meta({ description: 'Which one of a scattered step; empty where it is not scattered' }),
    task_id: z.string(),
    exit_code: z.int().nullable(),
    stderr_tail: z.array(z.string()),
  })
  .meta({ description: 'Why a run or task failed' });

export const RunSummary = z
  .strictObject({
    run_id: runId,
    status: z.enum(RUN_STATUS_WORDS),
    name: z.string(),
    project_id: z.string(),
    pool: z.string(),
    plan_hash: z.string(),
    labels: z.record(z.string(), z.string()),
    submitted_at: time,
    started_at: time,
    retried_at: time,
    finished_at: time,
    failure: FailureView.nullable(),
    tasks: z.strictObject({
      queued: z.int(),
      running: z.int(),
      succeeded: z.int(),
      failed: z.int(),
      cancelled: z.int(),
      skipped: z.int(),
      known: z.int(),
    }),
    current_steps: z.array(z.string()),
  })
  .meta({ description: 'A run without its input and output objects' });
export type RunSummary = z.infer<typeof RunSummary>;

export const RunView = RunSummary.extend({
  inputs: jsonObject.nullable().meta({ description: 'null where it is long (inputs_omitted): GET …/inputs has it' }),
  outputs: jsonObject.nullable().meta({
    description:
      'null until there is one, and where it is long (outputs_omitted): GET …/outputs has it. Of a run that failed with failure_mode `continue`: what succeeded, null for the rest',
  }),
  inputs_omitted: z.boolean(),
  outputs_omitted: z.boolean(),
}).meta({ description: 'A run' });
export type RunView = z.infer<typeof RunView>;

export const DiagnosticView = z
  .strictObject({
    severity: z.enum(['error', 'warning', 'note']),
    code: z.string().meta({ example: 'unknown-field' }),
    message: z.string().meta({ example: "unknown field 'positon'" }),
    file: z.string(),
    line: z.int().meta({ description: 'One-based; 0 = unknown' }),
    column: z.int(),
    end_line: z.int(),
    end_column: z.int(),
    hint: z.string().optional().meta({ example: "did you mean 'position'?" }),
  })
  .meta({ description: 'One mistake in a document, at its place' });

export const SubmittedView = RunView.extend({
  existing: z.boolean().meta({ description: 'True where the idempotency key had been seen before' }),
  diagnostics: z.array(DiagnosticView).meta({ description: 'Warnings and notes of loading' }),
}).meta({ description: 'The run that was accepted' });

export const TaskView = z
  .strictObject({
    task_id: z.string(),
    step: z.string(),
    index: z.string(),
    status: z.enum(TASK_STATUS_WORDS),
    preparing: z
      .string()
      .meta({ description: 'What is done for it before it starts, by its runner or before it has one; empty unless it is being prepared' }),
    attempt: z.int(),
    runner_id: z.string(),
    runtime: z.string(),
    exit_code: z.int().nullable(),
    cached: z.boolean().meta({ description: 'Nothing was executed: the outputs are those of an earlier task' }),
    failure: FailureView.nullable(),
    queued_at: time,
    started_at: time,
    finished_at: time,
    outputs: jsonObject
      .nullable()
      .meta({ description: 'null also where it is long (outputs_omitted): GET …/tasks/<task_id>/outputs has it' }),
    outputs_omitted: z.boolean(),
  })
  .meta({ description: 'One execution of one tool' });
export type TaskView = z.infer<typeof TaskView>;

const nextPage = z
  .string()
  .nullable()
  .meta({ description: 'null on the last page; a page has fewer than page_size where it would be long' });
export const RunList = z.strictObject({ runs: z.array(RunSummary), next_page_token: nextPage });
export const TaskList = z.strictObject({ tasks: z.array(TaskView), next_page_token: nextPage });
export const OutputsView = jsonObject.meta({
  description: 'The CWL output object',
  example: { out: { class: 'File', basename: 'out.txt' } },
});

export const InputsView = jsonObject.meta({ description: 'The CWL input object', example: { message: 'Hello' } });

export const ErrorView = z
  .strictObject({
    error: z.string().meta({ description: 'What is wrong, in words to act on', example: "no run 'r-x'" }),
    code: z.string().meta({ description: 'Stable reason', example: 'NOT_FOUND' }),
    diagnostics: z.array(DiagnosticView).optional(),
  })
  .meta({ description: 'An error' });
export type ErrorView = z.infer<typeof ErrorView>;
