/**
 * The JSON of the DVRE dialect's workflow calls.
 *
 * Invariants: requests take fields they do not know (clients of this dialect send more than it documents); the answer's `warnings`
 * name each one that was ignored.
 */
import { z } from 'zod';
import { objectOrPart } from '../http/body/json-part.js';

export const DVRE_STATUS_WORDS = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'TERMINATED'] as const;

const EXAMPLE_TOOL =
  '#!/usr/bin/env cwl-runner\ncwlVersion: v1.0\nclass: CommandLineTool\nbaseCommand: echo\ninputs:\n  message:\n    type: string\n' +
  '    inputBinding:\n      position: 1\noutputs:\n  result:\n    type: stdout';
const jsonObject = z.record(z.string(), z.unknown());
const time = z.iso.datetime().nullable();
const text = z.string();

const submission = {
  cwl_workflow: z
    .union([text, objectOrPart], { error: 'expected CWL text or a CWL object' })
    .optional()
    .meta({ description: 'The workflow, as CWL text or object', example: EXAMPLE_TOOL }),
  cwl_content: text.optional().meta({ description: 'The same, as text' }),
  inputs: objectOrPart.optional().meta({ description: 'The CWL input object', example: { message: 'CWL Test' } }),
  cache: z.boolean().optional().meta({ description: 'Use results of earlier tasks that did the same (true), or none (false)' }),
  deployment: text.max(100).optional().meta({ description: 'local, docker, or the name of a pool', example: 'local' }),
  contract_address: text.optional().meta({ example: '0x1234567890abcdef...' }),
  transaction_hash: text.optional().meta({ example: '0xabcdef1234567890...' }),
  metadata: jsonObject.optional(),
  user_wallet: text.optional(),
  user_role: text.optional(),
};

export const SubmitWorkflowBody = z.looseObject({ ...submission, project_id: text.optional() });
export type SubmitWorkflowBodyData = z.infer<typeof SubmitWorkflowBody>;

export const SubmitProjectWorkflowBody = z.looseObject({
  ...submission,
  project_id: z.string({ error: 'is needed' }).min(1).meta({ example: 'medical-imaging-dal' }),
  use_dal_template: z.boolean().optional().meta({ description: 'Run a template of the AL coordinator instead of a workflow in the call' }),
  dal_workflow_type: text.optional().meta({ description: 'Name of the template (GET /dal/templates) or of one of its commands' }),
});
export type SubmitProjectWorkflowBodyData = z.infer<typeof SubmitProjectWorkflowBody>;

export const WorkflowsQuery = z.looseObject({
  project_id: text.optional(),
  dal_only: z.enum(['true', 'false']).optional(),
  page_size: z.coerce.number().int().min(1).max(1000).optional(),
  page_token: text.optional(),
});
export type WorkflowsQueryData = z.infer<typeof WorkflowsQuery>;

export const SubmittedWorkflow = z.strictObject({
  workflow_id: text.meta({ example: 'r-01jd3k6v8q2m4n5p7r9s0t1v2w' }),
  status: z.literal('SUBMITTED'),
  execution_engine: z.literal('weft'),
  deployment: text,
  project_id: text.optional(),
  warnings: z.array(text).optional().meta({ description: 'What was ignored, and warnings about the document' }),
});
export type SubmittedWorkflow = z.infer<typeof SubmittedWorkflow>;

export const WorkflowStatus = z.strictObject({
  workflow_id: text,
  status: z.enum(DVRE_STATUS_WORDS),
  progress: z.number().min(0).max(1).meta({ description: 'Finished tasks of those known so far; 1 once completed' }),
  current_step: text.nullable(),
  output: jsonObject.nullable(),
  output_omitted: z
    .literal(true)
    .optional()
    .meta({ description: 'There is an output, but it is long: GET /api/v1/runs/<workflow_id>/outputs has it' }),
  error: text.nullable(),
  contract_address: text.nullable(),
  estimated_completion: time.meta({ description: 'null: weft does not guess' }),
  project_id: text.nullable(),
  execution_engine: z.literal('weft'),
  deployment: text,
  submitted_at: time,
  started_at: time,
  completed_at: time,
});
export type WorkflowStatus = z.infer<typeof WorkflowStatus>;

const WorkflowSummary = z.strictObject({
  workflow_id: text,
  status: z.enum(DVRE_STATUS_WORDS),
  submitted_at: time,
  project_id: text.nullable(),
  contract_address: text.nullable(),
});
export type WorkflowSummary = z.infer<typeof WorkflowSummary>;

export const WorkflowList = z.strictObject({
  project_id: text.optional(),
  workflows: z.array(WorkflowSummary),
  next_page_token: text.nullable(),
});
