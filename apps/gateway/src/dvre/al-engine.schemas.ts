/** The JSON of the DVRE dialect's active-learning calls. */
import { z } from 'zod';

export const COMMAND_STATUS_WORDS = ['accepted', 'rejected', 'completed', 'failed'] as const;
export const SESSION_STATUS_WORDS = ['active', 'awaiting_labels', 'completed', 'failed', 'terminated'] as const;

const jsonObject = z.record(z.string(), z.unknown());
const text = z.string();
const time = z.iso.datetime().nullable();

/** Both documented forms: `command` with `authorized_by`, and `command_type` with `workflow_id` and `user_wallet`. */
export const CommandBody = z.looseObject({
  project_id: z.string({ error: 'is needed' }).min(1).meta({ example: 'medical-imaging-dal' }),
  command: text.optional().meta({
    description: 'start_querying, continue_querying, prompt_training, evaluate_model, submit_labels, finalize_results or terminate_project',
    example: 'start_querying',
  }),
  command_type: text.optional().meta({ description: 'The same, as other clients call it' }),
  parameters: jsonObject.optional().meta({ example: { query_strategy: 'uncertainty_sampling', batch_size: 10 } }),
  session_id: text.optional(),
  workflow_id: text.optional(),
  contract_address: text.optional(),
  transaction_hash: text.optional(),
  authorized_by: text.optional(),
  user_wallet: text.optional(),
  user_role: text.optional(),
  timestamp: z.union([text, z.number()]).optional(),
});
export type CommandBodyData = z.infer<typeof CommandBody>;

export const CommandAnswer = z.strictObject({
  command_id: text,
  status: z.enum(COMMAND_STATUS_WORDS),
  message: text,
  data: jsonObject.meta({ description: 'session_id, workflow_id (null where none runs) and the results so far' }),
  timestamp: time,
});
export type CommandAnswer = z.infer<typeof CommandAnswer>;

export const SessionView = z.strictObject({
  session_id: text.meta({ example: 'session-123' }),
  status: z.enum(SESSION_STATUS_WORDS),
  created_at: time,
  last_activity: time,
  workflows_executed: z.int(),
  current_workflow: text.nullable(),
  round: z.int(),
  queried_samples: z.array(text),
  metrics: jsonObject.nullable(),
  model_uri: text.nullable(),
  contract_address: text.nullable(),
});
export type SessionView = z.infer<typeof SessionView>;

const SessionCommand = z.strictObject({
  command_id: text,
  command: text,
  status: z.enum(COMMAND_STATUS_WORDS),
  message: text,
  workflow_id: text.nullable(),
  data: jsonObject.nullable(),
  created_at: time,
  finished_at: time,
});
export type SessionCommand = z.infer<typeof SessionCommand>;

export const SessionDetail = SessionView.extend({ project_id: text, commands: z.array(SessionCommand) });
export const AllSessions = z.strictObject({
  sessions: z.array(SessionView.extend({ project_id: text })),
  next_page_token: text.nullable(),
});

export const SessionsQuery = z.looseObject({
  page_size: z.coerce.number().int().min(1).max(1000).optional(),
  page_token: text.optional(),
});
export type SessionsQueryData = z.infer<typeof SessionsQuery>;

export const ProjectSessionsQuery = z.looseObject({ page_token: text.optional() });
export type ProjectSessionsQueryData = z.infer<typeof ProjectSessionsQuery>;

export const ProjectSessions = z.strictObject({
  project_id: text,
  sessions: z.array(SessionView),
  next_page_token: text.optional().meta({ description: 'Only where there are more, because these have some 3 MiB' }),
});

export const SessionStats = z.strictObject({
  project_id: text,
  total_sessions: z.int(),
  sessions_by_status: z.record(z.enum(SESSION_STATUS_WORDS), z.int()),
  total_workflows_executed: z.int(),
  total_rounds: z.int(),
  last_activity: time,
  latest_metrics: jsonObject.nullable(),
});
export type SessionStats = z.infer<typeof SessionStats>;

export const TemplateList = z.strictObject({
  templates: z.array(z.strictObject({ name: text, title: text, description: text, commands: z.array(text) })),
});
