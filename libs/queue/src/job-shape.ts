/** Whether what lies in a queue is a job of ours: what whoever handles it takes for granted. Members that a later version adds do no harm. */
import { z } from 'zod';
import type { TaskJob } from './ports.js';

const record = z.record(z.string(), z.unknown());
const requirements = z.array(z.looseObject({ class: z.string() }));
const optional = z.string().optional();

const shape = z.looseObject({
  runId: z.string(),
  taskId: z.string(),
  attempt: z.int().positive(),
  step: z.string(),
  index: z.string(),
  pool: z.string(),
  planHash: z.string(),
  processId: z.string(),
  inputs: record,
  fromRun: z.record(z.string(), z.string()).optional(),
  inherited: z.looseObject({ requirements, hints: requirements }),
  options: z.looseObject({
    noContainer: z.boolean(),
    defaultContainer: optional,
    noCache: z.boolean().optional(),
    caller: z
      .looseObject({ path: optional, umask: z.int().optional(), environment: z.record(z.string(), z.string()).optional() })
      .optional(),
  }),
  avoid: z.array(z.string()).optional(),
  ramFactor: z.number().positive().optional(),
  projectId: optional,
  begun: z.boolean().optional(),
  priority: z.number(),
});

export function isTaskJob(data: unknown): data is TaskJob {
  return shape.safeParse(data).success;
}
