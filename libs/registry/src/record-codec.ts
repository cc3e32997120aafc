/** How a runner's record lies in Redis: what lasts, and apart from it what changes all the time. */
import { z } from 'zod';
import { IDLE, type RunnerLoad, type RunnerRecord } from './ports.js';

/** What a record has besides that which watchers want to hear of. */
export type Passing = RunnerLoad & { diskBytes: number };

const amount = z.number().nonnegative();
const amounts = { cores: amount, ramBytes: amount, gpus: amount };

/** Members that a later version adds are let through. */
const lastingText = z.looseObject({
  runnerId: z.string(),
  address: z.string(),
  pool: z.string(),
  version: z.string(),
  runtimes: z.array(z.looseObject({ name: z.string(), version: z.string(), containers: z.boolean(), unavailable: z.string() })),
  capacity: z.looseObject({ ...amounts, diskBytes: amount.default(0) }),
  labels: z.record(z.string(), z.string()),
  sandboxRoot: z.string(),
  draining: z.boolean(),
});
const passingText = z.looseObject({
  inUse: z.looseObject({ ...amounts, diskBytes: amount }),
  tasksAdmitted: amount,
  tasksWaiting: amount,
  diskBytes: amount,
});

/** Undefined: it is none of ours. */
export function decodeRunner(record: string, load: string): Omit<RunnerRecord, 'lastSeenMs'> | undefined {
  const lasting = lastingText.safeParse(jsonOf(record));
  if (!lasting.success) return undefined;
  // A scheduler of an earlier version wrote a record without load: its next heartbeat brings one.
  if (load === '') return { ...lasting.data, load: IDLE };
  const passing = passingText.safeParse(jsonOf(load));
  if (!passing.success) return undefined;
  const { diskBytes, ...rest } = passing.data;
  return { ...lasting.data, capacity: { ...lasting.data.capacity, diskBytes }, load: rest };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
