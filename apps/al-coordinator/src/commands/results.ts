/**
 * What the templates answer: their output objects, checked.
 */
import type { FileValue } from '@weft/plan';
import { z } from 'zod';

const FileSchema = z.looseObject({ class: z.literal('File'), location: z.string().min(1) });
const file = FileSchema.transform((value): FileValue => ({ ...value, class: 'File' }));
const labels = z.record(z.string(), z.string());

const share = z.number().min(0).max(1);
const MetricsSchema = z.looseObject({ accuracy: share, precision: share, recall: share, f1: share });

export const QueryResult = z.object({
  query: z.looseObject({
    strategy: z.string(),
    requested_strategy: z.string(),
    cold_start: z.boolean(),
    model: z.enum(['session', 'initial', 'none']),
    samples: z.array(z.object({ id: z.string(), score: z.number().nullable() })),
  }),
  labels_used: labels,
});
export const TrainingResult = z.object({
  model: file,
  labels_used: labels,
  report: z.looseObject({ labelled: z.number(), unused_hyperparameters: z.array(z.string()) }),
});
export const EvaluationResult = z.object({ metrics: MetricsSchema });
export const FinalResult = z.object({ summary: z.looseObject({}), learning_curve: file });

/** Throws where a template answered something else: an error of the template, not of the user. */
export function parseResult<T>(schema: z.ZodType<T>, outputsJson: string): T {
  const result = schema.safeParse(JSON.parse(outputsJson));
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
  throw new Error(`the template's outputs are not what they should be: ${issues.join('; ')}`);
}
