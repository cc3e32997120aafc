/** The JSON of runners; see runs.schemas.ts for the rules. */
import { z } from 'zod';

const amounts = z.strictObject({
  cores: z.number().meta({ example: 8 }),
  ram_bytes: z.number(),
  disk_bytes: z.number(),
  gpus: z.int(),
});

export const RunnerView = z
  .strictObject({
    runner_id: z.string().meta({ example: 'gpu-1' }),
    pool: z.string().meta({ example: 'default' }),
    address: z.string().meta({ example: '10.0.0.7:5007' }),
    version: z.string(),
    runtimes: z.array(
      z.strictObject({
        name: z.string().meta({ example: 'docker' }),
        version: z.string(),
        containers: z.boolean(),
        unavailable: z.string().meta({ description: 'Why it cannot be used now; empty where it can' }),
        expected: z.boolean().meta({ description: 'It could be used before: tasks wait for it while it cannot' }),
      }),
    ),
    capacity: amounts,
    in_use: amounts.meta({ description: 'What its tasks held at its last heartbeat' }),
    tasks: z.strictObject({ admitted: z.int(), waiting: z.int().meta({ description: 'For room on the runner' }) }),
    labels: z.record(z.string(), z.string()),
    draining: z.boolean().meta({ description: 'It takes no new tasks' }),
    last_seen: z.iso.datetime().nullable().meta({ example: '2026-01-31T12:00:00.000Z' }),
  })
  .meta({ description: 'A process that executes tasks' });
export type RunnerView = z.infer<typeof RunnerView>;

export const RunnerList = z.strictObject({ runners: z.array(RunnerView) });
export const RunnersQuery = z.strictObject({ pool: z.string().optional().meta({ description: 'Only of this pool', example: 'default' }) });
export type RunnersQueryData = z.infer<typeof RunnersQuery>;
